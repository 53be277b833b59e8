import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AutoModelForCausalLM, AutoTokenizer, env, pipeline, type Tensor } from "@huggingface/transformers";
import { silentReporter } from "@rag-ft/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAnswerBatch } from "../decoder/answer-batch.js";
import { loadDecoder } from "../decoder/load-decoder.js";
import { createTrainableDecoder } from "../decoder/trainable-decoder.js";
import { loadEncoder } from "../encoder/load-encoder.js";
import { openEncoder } from "../encoder/passage-encoder.js";
import { exportDecoder } from "./export-decoder.js";
import { saveDecoder } from "./save-decoder.js";
import { saveEncoder } from "./save-encoder.js";
import { writeOnnx } from "./write-onnx.js";

const model = (name: string): string => fileURLToPath(new URL(`../../../../data/models/${name}`, import.meta.url));
const options = { env: {}, reporter: silentReporter };
const TEXTS = [
  "How do I set a timeout?",
  "The timeout option takes milliseconds.\n\n```js\nsetTimeout(fn, 10)\n```",
  "Déjà vu – naïve café",
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
  env.allowRemoteModels = false;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("transformers.js gives the vectors of a saved encoder", async () => {
  const path = join(folder, "encoder");
  await saveEncoder(path, await loadEncoder(model("tiny-encoder"), options));
  const ours = await openEncoder(path, options);
  const vectors = await ours.embed(TEXTS, "passage");
  const extract = await pipeline("feature-extraction", path, { dtype: "fp32" });
  const theirs = await extract(
    TEXTS.map((text) => ours.settings.passage_prefix + text),
    { pooling: ours.settings.pooling, normalize: true },
  );
  expect(theirs.dims).toEqual([TEXTS.length, ours.dimensions]);
  const cosines = TEXTS.map((_, row) => {
    let sum = 0;
    for (let i = row * ours.dimensions; i < (row + 1) * ours.dimensions; i++) {
      sum += (vectors[i] as number) * Number(theirs.data[i]);
    }
    return sum;
  });
  expect(Math.min(...cosines)).toBeGreaterThan(0.9999);
  expect(ours.settings).toMatchObject({ query_prefix: "query: ", passage_prefix: "passage: " });
  await ours.close();
});

/** The text that has the lowest loss, token by token: what greedy decoding with a cache must find too. */
async function generate(path: string, prompt: string): Promise<number[]> {
  const tokenizer = await AutoTokenizer.from_pretrained(path);
  const decoder = await AutoModelForCausalLM.from_pretrained(path, { dtype: "fp32" });
  const output = (await decoder.generate({ ...tokenizer(prompt), max_new_tokens: 12, do_sample: false })) as Tensor;
  await decoder.dispose();
  return (output.tolist()[0] as (bigint | number)[]).map(Number);
}

it("transformers.js writes with a saved decoder what our engine finds likeliest, also from weights beside the model", async () => {
  const decoder = await loadDecoder(model("tiny-decoder"), options);
  const path = join(folder, "decoder");
  await saveDecoder(path, decoder);
  const prompt = "The timeout option takes";
  const whole = await generate(path, prompt);
  const ids = decoder.tokenizer.encode(prompt);
  expect(whole.slice(0, ids.length)).toEqual(ids);
  expect(whole.length).toBeGreaterThan(ids.length + 3);

  // Each token written must have a lower loss than any other token would: compare with a few.
  const trainable = await createTrainableDecoder(decoder);
  for (let at = ids.length; at < ids.length + 3; at++) {
    const lossOf = (token: number): Promise<number> =>
      trainable.loss(createAnswerBatch([{ prompt: whole.slice(0, at), answer: [token] }], 0, 1));
    const chosen = await lossOf(whole[at] as number);
    for (const other of [10, 100, 1000, 3000]) expect(chosen).toBeLessThanOrEqual(await lossOf(other));
  }
  await trainable.close();

  const beside = join(folder, "beside");
  await saveDecoder(beside, decoder, (temporary) => writeOnnx(temporary, exportDecoder(decoder), 1000));
  expect((await readdir(join(beside, "onnx"))).sort()).toEqual(["model.onnx", "model.onnx_data"]);
  expect(await generate(beside, prompt)).toEqual(whole);
});
