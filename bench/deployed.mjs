// Do the exports that people deploy say the same? Each family's folder, and real models where they are, in transformers.js (fp32, q8) and, as GGUF,
// in llama.cpp: vectors, greedy text, tokens.
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import {
  exportDecoder,
  exportEncoder,
  loadDecoder,
  loadEncoder,
  openEncoder,
  saveDecoder,
  saveEncoder,
  writeDecoderGguf,
  writeEncoderGguf,
  writeQuantisedOnnx,
} from "../packages/models/dist/index.js";
import { DECODERS, ENCODERS, makeFamily } from "./families.mjs";
import { ggufDecoder, ggufVectors, openLlamaCpp } from "./llama-cpp.mjs";
import { quiet, SAMPLE } from "./tools.mjs";

const require = createRequire(new URL("../packages/models/package.json", import.meta.url));
const { AutoModel, AutoModelForCausalLM, Tensor } = await import(require.resolve("@huggingface/transformers"));

const NEW_TOKENS = 40;
/** Code, other scripts, numbers, white space, emoji; no Hangul, which llama.cpp leaves whole for WordPiece, and none that NFC changes. */
const TEXTS = [
  ...SAMPLE,
  "function add(a, b) {\n\treturn a + b; // 12345\n}\n\n\n  indented   by    spaces",
  "Déjà vu – naïve café, it's 3:45pm & we'll pay $1,234.56!",
  "日本語のテキストと中文文本。",
  "Привет, мир! Γειά σου Κόσμε. مرحبا بالعالم",
  "😀👍🏽 family: 👨‍👩‍👧 flags: 🇩🇪",
];

const PRECISIONS = ["F32", "F16", "Q8_0"];
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const lowest = (rows, others) => Math.min(...rows.map((row, i) => dot(row, others[i])));
const same = (a, b) => a.filter((row, i) => row.join() === b[i].join()).length;

function idTensor(ids) {
  return new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]);
}

/** Ids that transformers.js writes after each prompt. */
async function written(folder, prompts, dtype) {
  const model = await AutoModelForCausalLM.from_pretrained(folder, { dtype });
  const texts = [];
  for (const ids of prompts) {
    const attention_mask = idTensor(ids.map(() => 1));
    const output = await model.generate({
      input_ids: idTensor(ids),
      attention_mask,
      max_new_tokens: NEW_TOKENS,
      do_sample: false,
    });
    texts.push(output.tolist()[0].map(Number).slice(ids.length));
  }
  await model.dispose();
  return texts;
}

/** What another decoder thinks likeliest after each part of prompt and text, and how often that is the text's next id. */
async function agreement(folder, prompts, texts, dtype) {
  const model = await AutoModelForCausalLM.from_pretrained(folder, { dtype });
  let [agreed, all] = [0, 0];
  for (const [i, prompt] of prompts.entries()) {
    const ids = [...prompt, ...texts[i]];
    const { logits } = await model({ input_ids: idTensor(ids), attention_mask: idTensor(ids.map(() => 1)) });
    const size = logits.dims[2];
    const offset = logits.dims[1] - ids.length;
    for (let at = prompt.length; at < ids.length; at++) {
      const row = logits.data.subarray((at - 1 + offset) * size, (at + offset) * size);
      const best = row.reduce((most, value, id) => (value > row[most] ? id : most), 0);
      all++;
      if (best === ids[at]) agreed++;
    }
  }
  await model.dispose();
  return agreed / all;
}

async function decoderResult(folder, base, llama, gguf) {
  const decoder = await loadDecoder(base, quiet);
  await saveDecoder(folder, decoder);
  await writeQuantisedOnnx(folder, exportDecoder(decoder));
  const prompts = TEXTS.map((text) => decoder.tokenizer.encode(text));
  const whole = await written(folder, prompts, "fp32");
  const result = {
    of: TEXTS.length,
    q8_equal: same(whole, await written(folder, prompts, "q8")),
    q8_next_token: await agreement(folder, prompts, whole, "q8"),
  };
  for (const precision of llama && gguf ? PRECISIONS : []) {
    const path = join(folder, `model-${precision}.gguf`);
    await writeDecoderGguf(path, decoder, precision, quiet.reporter);
    const theirs = await ggufDecoder(llama, path);
    const texts = [];
    for (const ids of prompts) texts.push(await theirs.greedy(ids, NEW_TOKENS));
    const ends = whole.map((ids) => ids.filter((id) => id !== decoder.tokenizer.eosId));
    result[`${precision}_equal`] = same(ends, texts);
    let agreed = 0;
    for (const [i, ids] of prompts.entries()) agreed += await theirs.agreement(ids, whole[i]);
    result[`${precision}_next_token`] = agreed / prompts.length;
    result.gguf_tokens_equal = same(
      TEXTS.map((text) => decoder.tokenizer.encode(text, { special: false })),
      TEXTS.map((text) => theirs.tokenize(text)),
    );
    await theirs.close();
  }
  return result;
}

/** Unit vectors by transformers.js, from ids and pooling of ours. */
async function jsVectors(folder, sequences, pooling, dtype) {
  const model = await AutoModel.from_pretrained(folder, { dtype });
  const vectors = [];
  for (const ids of sequences) {
    const inputs = { input_ids: idTensor(ids), attention_mask: idTensor(ids.map(() => 1)) };
    const output = await model({ ...inputs, token_type_ids: idTensor(ids.map(() => 0)) });
    const rows = output.last_hidden_state.tolist()[0];
    const chosen = pooling === "cls" ? [rows[0]] : pooling === "lasttoken" ? [rows.at(-1)] : rows;
    const sum = chosen[0].map((_, i) => chosen.reduce((total, row) => total + row[i], 0));
    const length = Math.hypot(...sum);
    vectors.push(sum.map((value) => value / length));
  }
  await model.dispose();
  return vectors;
}

async function encoderResult(folder, base, llama, gguf) {
  const encoder = await loadEncoder(base, { ...quiet, overrides: { similarity: "cosine" } });
  await saveEncoder(folder, encoder);
  await writeQuantisedOnnx(folder, exportEncoder(encoder));
  const ours = await openEncoder(folder, { ...quiet, overrides: { similarity: "cosine" } });
  const flat = await ours.embed(TEXTS, "passage");
  const { dimensions, settings } = ours;
  const rows = TEXTS.map((_, i) => Array.from(flat.subarray(i * dimensions, (i + 1) * dimensions)));
  await ours.close();
  const texts = TEXTS.map((text) => settings.passage_prefix + text);
  const sequences = texts.map((text) => encoder.tokenizer.encode(text));
  const result = {
    fp32: lowest(rows, await jsVectors(folder, sequences, settings.pooling, "fp32")),
    q8: lowest(rows, await jsVectors(folder, sequences, settings.pooling, "q8")),
  };
  for (const precision of llama && gguf ? PRECISIONS : []) {
    const path = join(folder, `model-${precision}.gguf`);
    await writeEncoderGguf(path, encoder, precision, quiet.reporter);
    result[precision] = lowest(rows, await ggufVectors(llama, path, texts));
  }
  return result;
}

/** All families, with random weights, and the real models of these folders. */
export async function deployedInterop(folder, { encoder, decoder }) {
  const llama = await openLlamaCpp();
  if (!llama) console.log("llama.cpp: not installed, so GGUF files are not run. bash bench/peers.sh installs it.");
  const results = {};
  const rows = [
    ...ENCODERS.map((family) => ({ ...family, run: encoderResult })),
    ...DECODERS.map((family) => ({ ...family, run: decoderResult })),
    ...(encoder ? [{ name: basename(encoder), base: encoder, run: encoderResult, gguf: true }] : []),
    ...(decoder ? [{ name: basename(decoder), base: decoder, run: decoderResult, gguf: true }] : []),
  ];
  for (const [i, { run, gguf, base, ...family }] of rows.entries()) {
    const kind = run === encoderResult ? "encoder" : "decoder";
    const made = base ?? (await makeFamily(join(folder, `base-${i}`), family, kind === "decoder"));
    const result = await run(join(folder, `saved-${i}`), made, llama, gguf).catch((error) => ({
      error: error.message,
    }));
    results[`${kind} ${family.name}`] = result;
    const figures = Object.entries(result).map(
      ([key, value]) => `${key} ${Number.isInteger(value) || typeof value === "string" ? value : value.toFixed(6)}`,
    );
    console.log(`${kind} ${family.name}: ${figures.join(", ")}`);
  }
  return results;
}
