import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, hashFile, type Reporter, silentReporter, writeJsonl } from "@rag-ft/core";
import { stopAfter } from "@rag-ft/test-utils";
import { afterAll, beforeAll, expect, it } from "vitest";
import { trainRetriever } from "./index.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-positives-"));
  const words = "the option called timeout sets how long a request may take before it is given up";
  const passages = [words, `${words} or tried again`, "cookies are kept between requests of a client"].map((text, i) =>
    createDocument(text, { source: `${i}.md` }),
  );
  await writeJsonl(at("documents.jsonl"), passages);
  const asked: [string, number][] = [
    ["What is a timeout?", 0],
    ["What is kept?", 2],
    ["What is a cookie?", 2],
  ];
  await writeJsonl(
    at("w_q.jsonl"),
    asked.map(([question, gold]) => ({
      gold_docs: [passages[gold]],
      hard_neg_docs: [],
      chat_history: [],
      questions: [question],
    })),
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The first question has a copy of its gold passage in the database, which no row names. */
const settings = (output: string, more: Record<string, unknown>) =>
  trainRetriever.settings.parse({
    model_path: ENCODER,
    full_dataset_file_path: at("documents.jsonl"),
    train_file: at("w_q.jsonl"),
    eval_file: at("w_q.jsonl"),
    output_dir: at(output),
    per_device_train_batch_size: 3,
    max_steps: 2,
    do_eval: false,
    learning_rate: 1e-3,
    positives: "all",
    save_onnx: false,
    threads: 1,
    ...more,
  });

it("takes all positives of a question when told to, goes on bit for bit, and says where there are none", {
  timeout: 180_000,
}, async () => {
  const said: string[] = [];
  const say = (line: string): number => said.push(line);
  const reporter: Reporter = { ...silentReporter, info: say, warn: say };
  const run = async (name: string, more: Record<string, unknown>) => {
    const { record } = await trainRetriever.run(settings(name, more), { ...context, reporter });
    return { record, hash: await hashFile(at(`${name}/model.safetensors`)) };
  };
  const none = await run("positives-none", {});
  expect(none.record).toMatchObject({ positives: { questions: 6, with_several: 0, further: 0 } });
  expect(said).toContainEqual(expect.stringMatching(/no step holds a second positive.*--extra_positives 1/));
  expect(none.hash).toBe((await run("positives-one", { positives: "one" })).hash);
  const drawn = await run("positives-drawn", { extra_positives: 1 });
  expect(drawn.record).toMatchObject({ positives: { questions: 6, with_several: 2, further: 2 } });
  expect(said).toContain("positives: 2 of 6 questions of all steps have several, 2 more than one each");
  expect(drawn.hash).not.toBe(none.hash);

  await expect(
    trainRetriever.run(settings("positives-stopped", { extra_positives: 1 }), { ...context, ...stopAfter(1) }),
  ).rejects.toThrow(/after step 1 of 2/);
  said.length = 0;
  expect((await run("positives-stopped", { extra_positives: 1 })).hash).toBe(drawn.hash);
  expect(said).toContainEqual(expect.stringMatching(/going on after step 1/));

  await expect(run("positives-wrong", { positives: "one", extra_positives: 1 })).rejects.toThrow(
    /extra_positives is 1, but positives is one.*--positives all/,
  );
});
