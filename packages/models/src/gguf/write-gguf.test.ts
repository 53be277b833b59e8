import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type GGUFParseOutput, gguf } from "@huggingface/gguf";
import { silentReporter } from "@rag-ft/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadDecoder } from "../decoder/load-decoder.js";
import { loadEncoder } from "../encoder/load-encoder.js";
import { decodeHalves } from "../weights/half.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { writeDecoderGguf, writeEncoderGguf } from "./write-gguf.js";

const model = (name: string): string => fileURLToPath(new URL(`../../../../data/models/${name}`, import.meta.url));
const tokenizer = (name: string): string =>
  fileURLToPath(new URL(`../tokenizer/fixtures/${name}/tokenizer.json`, import.meta.url));
const options = { env: {}, reporter: silentReporter };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-gguf-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Read extends Pick<GGUFParseOutput, "tensorInfos" | "tensorDataOffset"> {
  /** By key: the library's type names only some. */
  metadata: Record<string, unknown>;
}
const read = async (path: string): Promise<Read> => {
  const { tensorInfos, tensorDataOffset, metadata } = await gguf(path, { allowLocalFile: true });
  return { tensorInfos, tensorDataOffset, metadata: { ...metadata } };
};

/** A tensor's numbers, by its type in the file. */
async function numbersOf(path: string, { tensorInfos, tensorDataOffset }: Read, name: string): Promise<Float32Array> {
  const info = tensorInfos.find((tensor) => tensor.name === name);
  if (!info) throw new Error(`no tensor ${name}`);
  const bytes = await readFile(path);
  const start = Number(tensorDataOffset + info.offset);
  const count = info.shape.reduce((a, b) => a * Number(b), 1);
  const copy = (length: number): ArrayBuffer => new Uint8Array(bytes.subarray(start, start + length)).buffer;
  if (info.dtype === 0) return new Float32Array(copy(count * 4));
  const values = new Float32Array(count);
  if (info.dtype === 1) decodeHalves(new Uint16Array(copy(count * 2)), values, 0);
  else {
    const data = new DataView(copy((count / 32) * 34));
    const scale = new Float32Array(1);
    for (let i = 0; i < count; i++) {
      const block = Math.floor(i / 32) * 34;
      decodeHalves(Uint16Array.of(data.getUint16(block, true)), scale, 0);
      values[i] = (scale[0] as number) * data.getInt8(block + 2 + (i % 32));
    }
  }
  return values;
}

const largestError = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);

/** Llama's rows as GGUF orders them: of each head the pairs that rotary positions turn, side by side. */
function sideBySide({ data, shape: [rows = 0, columns = 0] }: WeightTensor, size: number): Float32Array {
  const order = Array.from({ length: rows }, (_, row) => {
    const at = row % size;
    return row - at + (at % 2) * (size / 2) + Math.floor(at / 2);
  });
  return Float32Array.from(order.flatMap((row) => [...data.subarray(row * columns, (row + 1) * columns)]));
}

it("a decoder's tensors and settings are read back, queries and keys in llama.cpp's order", async () => {
  const decoder = await loadDecoder(model("tiny-decoder"), options);
  const path = join(folder, "decoder.gguf");
  await writeDecoderGguf(path, decoder, "F16", silentReporter);
  const file = await read(path);
  expect(file.tensorInfos).toHaveLength(decoder.weights.size);
  // The weights are halves in the folder too: nothing is lost.
  const pairs: [string, Float32Array][] = [
    ["token_embd.weight", (decoder.weights.get("model.embed_tokens.weight") as WeightTensor).data],
    ["output_norm.weight", (decoder.weights.get("model.norm.weight") as WeightTensor).data],
    ["blk.4.ffn_down.weight", (decoder.weights.get("model.layers.4.mlp.down_proj.weight") as WeightTensor).data],
    ["blk.1.attn_v.weight", (decoder.weights.get("model.layers.1.self_attn.v_proj.weight") as WeightTensor).data],
    [
      "blk.1.attn_q.weight",
      sideBySide(decoder.weights.get("model.layers.1.self_attn.q_proj.weight") as WeightTensor, 64),
    ],
    [
      "blk.2.attn_k.weight",
      sideBySide(decoder.weights.get("model.layers.2.self_attn.k_proj.weight") as WeightTensor, 64),
    ],
  ];
  for (const [name, expected] of pairs) expect(largestError(await numbersOf(path, file, name), expected), name).toBe(0);
  expect(file.metadata).toMatchObject({
    "general.architecture": "llama",
    "general.file_type": 1,
    "llama.block_count": 5,
    "llama.embedding_length": 256,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "llama.rope.freq_base": 10000,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "gpt-2",
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.ggml.eos_token_id": 2,
    "tokenizer.ggml.add_bos_token": false,
  });
  const description = JSON.parse(await readFile(join(model("tiny-decoder"), "tokenizer.json"), "utf8"));
  const tokens = file.metadata["tokenizer.ggml.tokens"] as string[];
  expect(tokens).toHaveLength(5632);
  for (const [text, id] of Object.entries<number>(description.model.vocab)) expect(tokens[id]).toBe(text);
  expect((file.metadata["tokenizer.ggml.token_type"] as number[]).slice(0, 4)).toEqual([3, 3, 3, 1]);
  expect((file.metadata["tokenizer.ggml.merges"] as string[]).length).toBe(description.model.merges.length);
});

it("in Q8_0, each number is within half of its block's scale", async () => {
  const encoder = await loadEncoder(model("tiny-encoder"), options);
  const path = join(folder, "encoder.gguf");
  const said: string[] = [];
  const reporter = { ...silentReporter, info: (line: string) => void said.push(line) };
  await writeEncoderGguf(path, encoder, "Q8_0", reporter);
  const file = await read(path);
  expect(file.metadata).toMatchObject({
    "general.architecture": "bert",
    "bert.attention.causal": false,
    "bert.pooling_type": 1,
    "tokenizer.ggml.token_type_count": 2,
    "tokenizer.ggml.model": "bert",
    "tokenizer.ggml.cls_token_id": 2,
    "tokenizer.ggml.seperator_token_id": 3,
  });
  const words = "embeddings.word_embeddings.weight";
  const expected = (encoder.weights.get(words) as WeightTensor).data;
  const found = await numbersOf(path, file, "token_embd.weight");
  let quantised = 0;
  for (let at = 0; at < expected.length; at += 32) {
    const block = expected.subarray(at, at + 32);
    const scale = Math.max(...block.map(Math.abs)) / 127;
    const error = largestError(block, found.subarray(at, at + 32));
    expect(error).toBeLessThanOrEqual(scale * 0.57); // The scale itself is rounded to F16: 127 steps of at most 2^-11 of it.
    if (error > 0) quantised++;
  }
  expect(quantised).toBeGreaterThan(1000);
  const tokens = file.metadata["tokenizer.ggml.tokens"] as string[];
  const id = encoder.tokenizer.encode("timeout", { special: false })[0] as number;
  expect(tokens[id]?.startsWith("\u2581")).toBe(true);
  expect(tokens.some((token) => token.startsWith("##"))).toBe(false);
  expect(said.join()).toMatch(/"query: " before questions/);
});

/** tiny-decoder with another tokenizer.json, or other settings. */
async function variant(
  name: string,
  changes: { config?: object; tokenizer?: (json: never) => object },
): Promise<string> {
  const path = join(folder, name);
  await cp(model("tiny-decoder"), path, { recursive: true });
  for (const [file, edit] of [
    ["config.json", (json: object) => ({ ...json, ...changes.config })],
    ["tokenizer.json", changes.tokenizer ?? ((json: object) => json)],
  ] as const) {
    const at = join(path, file);
    await writeFile(at, JSON.stringify((edit as (json: object) => object)(JSON.parse(await readFile(at, "utf8")))));
  }
  return path;
}

it.each([
  ["activation", { config: { hidden_act: "gelu" } }, /has the activation gelu, but llama\.cpp's llama has silu/],
  [
    "pre-tokenizer",
    {
      tokenizer: (json: { pre_tokenizer: object }) => ({
        ...json,
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [{ type: "Digits", individual_digits: false }, json.pre_tokenizer],
        },
      }),
    },
    /tokenizer\.json: its pre_tokenizer is .*Digits.*, which llama\.cpp has no tokenizer for; known: those of gpt-2, smollm/,
  ],
  [
    "normalizer",
    { tokenizer: (json: object) => ({ ...json, normalizer: { type: "Lowercase" } }) },
    /its normalizer is Lowercase/,
  ],
  [
    "added token",
    {
      tokenizer: (json: { added_tokens: object[] }) => ({
        ...json,
        added_tokens: json.added_tokens.map((token) => ({ ...token, lstrip: true })),
      }),
    },
    /the added token "<pad>" has lstrip/,
  ],
])("refuses what llama.cpp would do otherwise: %s", async (name, changes, message) => {
  const decoder = await loadDecoder(await variant(`other ${name}`, changes as never), options);
  await expect(writeDecoderGguf(join(folder, "none.gguf"), decoder, "F16", silentReporter)).rejects.toThrow(message);
});

it("gives SentencePiece's BPE scores that say the order of its merges, and refuses merges that no scores give", async () => {
  const source = JSON.parse(await readFile(tokenizer("metaspace-bpe"), "utf8"));
  const isPiece = (text: string): boolean => text in source.model.vocab && !/^<.*>$/.test(text);
  const pieces = Object.keys(source.model.vocab).filter((text) => isPiece(text) && text.length > 1);
  const merges = pieces.flatMap((text) =>
    Array.from({ length: text.length - 1 }, (_, i) => [text.slice(0, i + 1), text.slice(i + 1)] as const).filter(
      (pair) => pair.every(isPiece),
    ),
  );
  const path = await variant("sentence-piece", {
    tokenizer: () => ({ ...source, model: { ...source.model, merges } }),
  });
  const decoder = await loadDecoder(path, options);
  const file = join(folder, "sentence-piece.gguf");
  await writeDecoderGguf(file, decoder, "F16", silentReporter);
  const { metadata } = await read(file);
  expect(metadata).toMatchObject({ "tokenizer.ggml.model": "llama", "tokenizer.ggml.add_space_prefix": true });
  const scores = metadata["tokenizer.ggml.scores"] as number[];
  const made = [...new Set(merges.map((pair) => pair.join("")))];
  expect(made.length).toBeGreaterThan(100);
  made.forEach((text, rank) => {
    expect(scores[source.model.vocab[text]]).toBe(rank === 0 ? -0 : -rank);
  });
  const kinds = metadata["tokenizer.ggml.token_type"] as number[];
  expect(kinds[source.model.vocab["<0x0A>"]]).toBe(6);
  expect(kinds.at(-1)).toBe(5); // The model has more rows than the tokenizer has tokens.

  const trained = await variant("trained", { tokenizer: () => source });
  const other = await loadDecoder(trained, options);
  await expect(writeDecoderGguf(file, other, "F16", silentReporter)).rejects.toThrow(
    /are not merged to|do not stand together/,
  );
});

it.each([
  ["byte-bpe", "smollm", ""],
  ["byte-bpe-split", "llama-bpe", ""],
  ["byte-bpe-nfc", "qwen2", "not in NFC"],
  ["byte-bpe-tekken", "tekken", "combining marks"],
])("names llama.cpp's tokenizer for %s, and where that differs", async (kind, pre, difference) => {
  const source = JSON.parse(await readFile(tokenizer(kind), "utf8"));
  const decoder = await loadDecoder(await variant(`tokenizer ${kind}`, { tokenizer: () => source }), options);
  const path = join(folder, `${kind}.gguf`);
  const said: string[] = [];
  await writeDecoderGguf(path, decoder, "F16", { ...silentReporter, warn: (line) => void said.push(line) });
  expect((await read(path)).metadata["tokenizer.ggml.pre"]).toBe(pre);
  expect(said.join()).toContain(difference);
  expect(said).toHaveLength(difference === "" ? 0 : 1);
});
