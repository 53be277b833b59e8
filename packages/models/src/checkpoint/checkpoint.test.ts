import { mkdtempSync, rmSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DataError, UserError } from "@rag-ft/core";
import { afterAll, describe, expect, it } from "vitest";
import { readEncoderSettings } from "./read-encoder-settings.js";
import type { SavedEncoderSettings } from "./saved-encoder-settings.js";
import { writeSentenceTransformersFiles } from "./sentence-transformers-files.js";
import { copyModelSideFiles } from "./side-files.js";

const root = mkdtempSync(join(tmpdir(), "checkpoint-"));
afterAll(() => rmSync(root, { recursive: true }));

let made = 0;
async function folderWith(files: Record<string, unknown>): Promise<string> {
  const folder = join(root, String(made++));
  await mkdir(folder);
  for (const [name, value] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
  }
  return folder;
}

const modules = (...types: string[]): unknown =>
  types.map((type, idx) => ({ idx, name: `${idx}`, path: idx === 0 ? "" : `${idx}_${type}`, type: `a.b.${type}` }));

describe("settings of an encoder", () => {
  it.each<SavedEncoderSettings>([
    { pooling: "mean", similarity: "cosine", queryPrefix: "query: ", passagePrefix: "passage: ", maxSeqLength: 512 },
    { pooling: "cls", similarity: "dot", queryPrefix: "", passagePrefix: "", maxSeqLength: 128 },
    { pooling: "cls", similarity: "cosine", queryPrefix: "Find: ", passagePrefix: "", maxSeqLength: 64 },
    { pooling: "lasttoken", similarity: "cosine", queryPrefix: "Query:", passagePrefix: "", maxSeqLength: 64 },
    { pooling: "weightedmean", similarity: "dot", queryPrefix: "q", passagePrefix: "", maxSeqLength: 64 },
    { pooling: "max", similarity: "dot", queryPrefix: "q", passagePrefix: "", maxSeqLength: 64, truncateDim: 16 },
  ])("come back as they were written: %j", async (settings) => {
    const folder = await folderWith({});
    await writeSentenceTransformersFiles(folder, { ...settings, dimensions: 384 });
    expect(await readEncoderSettings(folder)).toEqual(settings);
    const chain = JSON.parse(await readFile(join(folder, "modules.json"), "utf8"));
    expect(chain).toHaveLength(settings.similarity === "cosine" ? 3 : 2);
  });

  it("dense layers come back, between pooling and normalising", async () => {
    const folder = await folderWith({});
    const dense = [
      { folder: "2_Dense", inputs: 384, outputs: 96, bias: false, activation: "identity" as const },
      { folder: "3_Dense", inputs: 96, outputs: 48, bias: true, activation: "tanh" as const },
    ];
    const settings = {
      pooling: "mean",
      similarity: "cosine",
      queryPrefix: "q",
      passagePrefix: "",
      maxSeqLength: 9,
    } as const;
    await writeSentenceTransformersFiles(folder, { ...settings, dense, dimensions: 384 });
    expect(await readEncoderSettings(folder)).toEqual({ ...settings, dense });
    const chain = JSON.parse(await readFile(join(folder, "modules.json"), "utf8")) as { path: string }[];
    expect(chain.map(({ path }) => path)).toEqual(["", "1_Pooling", "2_Dense", "3_Dense", "4_Normalize"]);
  });

  it("reads prompts by the names in use, and the default prompt for what has none", async () => {
    const prompted = async (config: unknown): Promise<unknown> =>
      readEncoderSettings(await folderWith({ "config_sentence_transformers.json": config }));
    const jina = { "retrieval.query": "Q: ", "retrieval.passage": "P: ", separation: "S: " };
    expect(await prompted({ prompts: jina })).toEqual({ queryPrefix: "Q: ", passagePrefix: "P: " });
    expect(await prompted({ prompts: { query: "Q: ", all: "A: " }, default_prompt_name: "all" })).toEqual({
      queryPrefix: "Q: ",
      passagePrefix: "A: ",
    });
    await expect(prompted({ prompts: jina, default_prompt_name: "query" })).rejects.toThrow(
      /default_prompt_name is "query", expected one of the prompts: retrieval\.query, /,
    );
  });

  it("a plain folder states nothing", async () => {
    expect(await readEncoderSettings(await folderWith({ "config.json": {} }))).toEqual({});
  });

  it("reads what sentence-transformers 6 writes, its own empty prompts left aside", async () => {
    const files = {
      "modules.json": modules("Transformer", "Pooling", "Normalize"),
      "1_Pooling/config.json": { embedding_dimension: 384, pooling_mode: "mean", include_prompt: true },
      "sentence_bert_config.json": { transformer_task: "feature-extraction" },
      "config_sentence_transformers.json": { prompts: { query: "", document: "" }, similarity_fn_name: "cosine" },
    };
    expect(await readEncoderSettings(await folderWith(files))).toEqual({ pooling: "mean", similarity: "cosine" });
    files["config_sentence_transformers.json"].prompts = { query: "q: ", document: "d: " };
    expect(await readEncoderSettings(await folderWith(files))).toMatchObject({
      queryPrefix: "q: ",
      passagePrefix: "d: ",
    });
  });

  it("takes unit vectors compared by dot product for cosine", async () => {
    const folder = await folderWith({
      "modules.json": modules("Transformer", "Pooling", "Normalize"),
      "config_sentence_transformers.json": { similarity_fn_name: "dot" },
    });
    expect(await readEncoderSettings(folder)).toEqual({ similarity: "cosine" });
  });

  it.each([
    [
      { "1_Pooling/config.json": { pooling_mode_mean_sqrt_len_tokens: true } },
      /pooling mean_sqrt_len is not supported, expected one of mean, cls, lasttoken/,
    ],
    [{ "1_Pooling/config.json": { pooling_mode: "attention" } }, /pooling attention is not supported/],
    [
      { "1_Pooling/config.json": { pooling_mode_mean_tokens: true, pooling_mode_max_tokens: true } },
      /pooling mean and max is not supported/,
    ],
    [{ "1_Pooling/config.json": { pooling_mode_mean_tokens: false } }, /pooling none is not supported/],
    [{ "1_Pooling/config.json": { pooling_mode: "mean", include_prompt: false } }, /include_prompt false/],
    [{ "modules.json": modules("Transformer", "Pooling", "CNN") }, /module a\.b\.CNN is not supported/],
    [{ "modules.json": modules("Transformer", "Pooling", "Dense") }, /2_Dense[\\/]config\.json: no such file/],
    [
      { "modules.json": modules("Transformer", "Pooling", "Normalize", "Dense") },
      /Dense at 3_Dense is not supported there/,
    ],
    [
      {
        "modules.json": modules("Transformer", "Pooling", "Dense"),
        "2_Dense/config.json": { in_features: 4, out_features: 2, activation_function: "torch.nn.Mish" },
      },
      /2_Dense.*activation_function "torch\.nn\.Mish" is not supported, expected one of .*Identity.*Tanh/,
    ],
    [
      {
        "modules.json": modules("Transformer", "Pooling", "Dense"),
        "2_Dense/config.json": { in_features: 4, out_features: 2, use_residual: true },
      },
      /use_residual true is not supported/,
    ],
    [{ "modules.json": [{ path: "0_Transformer", type: "x.Transformer" }] }, /in the subfolder 0_Transformer/],
    [
      { "config_sentence_transformers.json": { similarity_fn_name: "euclidean" } },
      /similarity euclidean is not supported/,
    ],
  ])("says what it cannot do: %j", async (files, message) => {
    const folder = await folderWith(files);
    await expect(readEncoderSettings(folder)).rejects.toThrow(UserError);
    await expect(readEncoderSettings(folder)).rejects.toThrow(message);
  });

  it("says which file is malformed, and that a folder is missing", async () => {
    const broken = await folderWith({ "modules.json": "[" });
    await expect(readEncoderSettings(broken)).rejects.toThrow(DataError);
    await expect(readEncoderSettings(broken)).rejects.toThrow(/modules\.json: not valid JSON/);
    const wrong = await folderWith({ "sentence_bert_config.json": { max_seq_length: "long" } });
    await expect(readEncoderSettings(wrong)).rejects.toThrow(/sentence_bert_config\.json.*max_seq_length/);
    await expect(readEncoderSettings(join(root, "none"))).rejects.toThrow(/none: no such folder/);
  });
});

describe("copyModelSideFiles", () => {
  it("copies configuration and tokenizer, not weights, and states the new number type", async () => {
    const from = await folderWith({
      "config.json": { model_type: "bert", torch_dtype: "float16" },
      "tokenizer.json": "{ }",
      "tokenizer_config.json": "{}",
      "vocab.txt": "a\nb",
      "model.safetensors": "weights",
      "onnx/model.onnx": "graph",
    });
    await chmod(join(from, "tokenizer.json"), 0o444);
    const to = join(root, "target");
    const names = ["config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"];
    expect(await copyModelSideFiles(from, to)).toEqual(names);
    expect((await readdir(to)).sort()).toEqual(names);
    expect(JSON.parse(await readFile(join(to, "config.json"), "utf8"))).toEqual({
      model_type: "bert",
      torch_dtype: "float32",
    });
    expect(await readFile(join(to, "tokenizer.json"), "utf8")).toBe("{ }");
    await writeFile(join(to, "tokenizer.json"), "may be written again");
  });

  it("refuses a folder that is no model", async () => {
    await expect(copyModelSideFiles(await folderWith({ "notes.txt": "" }), root)).rejects.toThrow(/no config\.json/);
    await expect(copyModelSideFiles(join(root, "none"), root)).rejects.toThrow(UserError);
  });
});
