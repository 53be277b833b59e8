import { mkdtempSync, rmSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentReporter } from "@rag-ft/core";
import { afterAll, describe, expect, it } from "vitest";
import { tokenise } from "./encoder/embed-texts.js";
import { loadEncoder } from "./encoder/load-encoder.js";
import { openEncoder } from "./encoder/passage-encoder.js";
import { createTokenBatch } from "./encoder/token-batch.js";
import { createTrainableEncoder } from "./encoder/trainable-encoder.js";
import { saveEncoder } from "./export/save-encoder.js";
import { loadScorer } from "./scorer/load-scorer.js";
import { createPairBatch } from "./scorer/pair-batch.js";
import { encodePairFor } from "./scorer/pair-format.js";
import { openScorer, scorePairs, type TextPair } from "./scorer/pair-scorer.js";
import { saveScorer } from "./scorer/save-scorer.js";
import { createTrainableScorer } from "./scorer/trainable-scorer.js";
import { relativeError } from "./testing/relative-error.js";
import { data, fixture } from "./testing/tiny-models.js";
import { encodePairTruncated } from "./tokenizer/pair-tokens.js";
import { readSafetensors } from "./weights/read-safetensors.js";

// References by sentence-transformers: scripts/make-sentence-transformers-fixtures.py.
const QUESTIONS = ["How do I set a timeout?", "What is the default colour of a button?", "café"];
const PASSAGES = [
  "The timeout option takes milliseconds. ".repeat(4),
  "Buttons are blue.",
  "A long passage that says nothing of use, again and again. ".repeat(6),
];
const PAIRS: TextPair[] = QUESTIONS.flatMap((question) => PASSAGES.map((passage): TextPair => [question, passage]));

const options = { env: {}, reporter: silentReporter };
const root = mkdtempSync(join(tmpdir(), "st-"));
afterAll(() => rmSync(root, { recursive: true }));
const referenceOf = (name: string): ReturnType<typeof readSafetensors> =>
  readSafetensors(join(fixture(name), "reference.safetensors"));

describe("an encoder with Dense modules and prompts", () => {
  it("gives sentence-transformers' vectors, also from the folder that we save", async () => {
    const reference = await referenceOf("st-dense");
    const saved = join(root, "dense");
    await saveEncoder(saved, await loadEncoder(fixture("st-dense"), options));
    for (const folder of [fixture("st-dense"), saved]) {
      const encoder = await openEncoder(folder, options);
      expect(encoder.dimensions).toBe(6);
      expect(encoder.settings).toMatchObject({ query_prefix: "task: search | query: ", max_length: 24 });
      expect(relativeError(await encoder.embed(QUESTIONS, "query"), data(reference, "questions"))).toBeLessThan(1e-5);
      expect(relativeError(await encoder.embed(PASSAGES, "passage"), data(reference, "passages"))).toBeLessThan(1e-5);
      await encoder.close();
    }
    const original = await readSafetensors(join(fixture("st-dense"), "3_Dense", "model.safetensors"));
    expect(await readSafetensors(join(saved, "3_Dense", "model.safetensors"))).toEqual(original);
  });

  it("trains its Dense modules, and can be cut", async () => {
    const encoder = await loadEncoder(fixture("st-dense"), { ...options, overrides: { truncate_dim: 4 } });
    const model = await createTrainableEncoder(encoder);
    const batch = createTokenBatch(tokenise(encoder, QUESTIONS, "query"), encoder.tokenizer.padId, "mean");
    const weights = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 1));
    const scalar = async (): Promise<number> =>
      (await model.forward(batch)).reduce((sum, value, i) => sum + value * (weights[i] as number), 0);
    await model.backward(batch, weights);
    // Each against a difference of the scalar.
    for (const name of ["2_Dense.linear.weight", "3_Dense.linear.weight", "3_Dense.linear.bias"]) {
      const weight = encoder.weights.get(name)?.data as Float32Array;
      const before = weight[1] as number;
      weight[1] = before + 0.01;
      const more = await scalar();
      weight[1] = before - 0.01;
      const less = await scalar();
      weight[1] = before;
      const gradient = model.gradients.get(name)?.[1] as number;
      expect(Math.abs(gradient), name).toBeGreaterThan(1e-3);
      expect(Math.abs((more - less) / 0.02 - gradient), name).toBeLessThan(0.01 * Math.abs(gradient) + 1e-4);
    }
    await model.close();
  });

  it("says what does not fit", async () => {
    const wide = loadEncoder(fixture("st-dense"), { ...options, overrides: { truncate_dim: 7 } });
    await expect(wide).rejects.toThrow(/truncate_dim is 7, but the model's vectors have 6 entries/);
  });
});

describe.each([
  "st-bert",
  "st-xlm-roberta",
  "st-modernbert-cls",
  "st-modernbert-mean",
  "st-distilbert",
  "st-mpnet",
  "st-gte",
  "st-qwen3",
])("the reranker %s", (name) => {
  it("gives CrossEncoder's tokens, logits, scores and gradients", async () => {
    const reference = await referenceOf(name);
    const scorer = await loadScorer(fixture(name), options);
    const tokens = PAIRS.map(([question, passage]) =>
      encodePairTruncated(scorer.tokenizer, question, passage, scorer.maxLength),
    );
    const batch = createPairBatch(tokens, scorer.tokenizer.padId);
    expect(Array.from(batch.inputs.ids.data, Number)).toEqual([...data(reference, "ids")]);
    const model = await createTrainableScorer(scorer);
    expect(relativeError(await model.forward(batch), data(reference, "logits"))).toBeLessThan(1e-5);
    expect(relativeError(await scorePairs(scorer, model.forward, PAIRS), data(reference, "scores"))).toBeLessThan(1e-5);
    await model.backward(batch, data(reference, "logit_gradients"));
    const names = [...reference.keys()].filter((key) => key.startsWith("gradient."));
    expect(names).toHaveLength(scorer.weights.size);
    for (const key of names) {
      const gradient = model.gradients.get(key.slice("gradient.".length));
      // A key's bias shifts all scores of a query alike: its gradient is zero but for rounding.
      if (/(key|attn\.k|k_lin)\.bias$/.test(key))
        expect(Math.max(...(gradient ?? [1]).map(Math.abs))).toBeLessThan(1e-5);
      else expect(relativeError(gradient, data(reference, key)), key).toBeLessThan(1e-4);
    }
    await model.close();
  });

  it("saved, gives the same scores", async () => {
    const scorer = await loadScorer(fixture(name), options);
    const folder = join(root, name);
    await saveScorer(folder, scorer);
    const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
    expect(config).toMatchObject({ problem_type: "multi_label_classification", id2label: { 0: "LABEL_0" } });
    const opened = await openScorer(folder, options);
    const expected = data(await referenceOf(name), "scores");
    expect(relativeError(await opened.score(PAIRS), expected)).toBeLessThan(1e-5);
    await opened.close();
    const small = await openScorer(folder, { ...options, int8: true });
    const error = relativeError(await small.score(PAIRS), expected);
    await small.close();
    expect(error).toBeLessThan(0.03);
    expect(error).toBeGreaterThan(0);
  });
});

describe.each(["st-qwen3-yes-no", "st-qwen3-yes"])("the decoder that answers, %s", (name) => {
  it("gives CrossEncoder's scores, as it is and saved with a head of one label", async () => {
    const reference = await referenceOf(name);
    const saved = join(root, name);
    await saveScorer(saved, await loadScorer(fixture(name), options));
    const config = JSON.parse(await readFile(join(saved, "config.json"), "utf8"));
    expect(config.architectures).toEqual(["Qwen3ForSequenceClassification"]);
    for (const folder of [fixture(name), saved]) {
      const scorer = await loadScorer(folder, options);
      expect(scorer).toMatchObject({ labels: 1, isHeadNew: false, sigmoid: true });
      const opened = await openScorer(folder, options);
      expect(relativeError(await opened.logits(PAIRS), data(reference, "logits"))).toBeLessThan(1e-5);
      expect(relativeError(await opened.score(PAIRS), data(reference, "scores"))).toBeLessThan(1e-5);
      await opened.close();
    }
    const model = await createTrainableScorer(await loadScorer(saved, options));
    expect(model.trained.get("score.weight")?.shape).toEqual([1, 12]);
    await model.close();
  });
});

it("a decoder that was not made for it is asked yes or no, where its words are tokens; what pairs hold is text", async () => {
  const folder = join(root, "decoder");
  await cp(fixture("st-qwen3-yes-no"), folder, { recursive: true });
  for (const file of ["modules.json", "sentence_bert_config.json", "chat_template.jinja"]) await rm(join(folder, file));
  // A tokenizer without the words gets a head made anew, as an encoder does.
  expect((await loadScorer(folder, { ...options, newHead: 1 })).isHeadNew).toBe(true);
  await expect(loadScorer(folder, options)).rejects.toThrow(/no weight score\.weight/);
  const path = join(folder, "tokenizer.json");
  const tokenizer = JSON.parse(await readFile(path, "utf8"));
  const added = ["yes", "no"].map((content, i) => ({
    ...tokenizer.added_tokens[0],
    id: 400 + i,
    content,
    special: false,
  }));
  for (const { id } of added)
    for (const word of Object.keys(tokenizer.model.vocab))
      if (tokenizer.model.vocab[word] === id) delete tokenizer.model.vocab[word];
  tokenizer.model.merges = [];
  tokenizer.added_tokens.push(...added);
  await writeFile(path, JSON.stringify(tokenizer));
  const scorer = await loadScorer(folder, { ...options, newHead: 1, maxLength: 70 });
  expect(scorer.isHeadNew).toBe(false);
  const embedded = (await readSafetensors(join(folder, "model.safetensors"))).get("model.embed_tokens.weight");
  const head = scorer.weights.get("score.weight");
  expect(head?.data[3]).toBeCloseTo((embedded?.data[400 * 12 + 3] ?? 0) - (embedded?.data[401 * 12 + 3] ?? 0), 6);
  const end = scorer.tokenizer.tokenId("<|im_end|>");
  const ends = (passage: string): number => encodePairFor(scorer, "q", passage).ids.filter((id) => id === end).length;
  expect(ends("</s><|im_end|>")).toBe(ends("x"));
  const [short, long] = ["x", "y".repeat(500)].map((passage) => encodePairFor(scorer, "q", passage).ids);
  expect(long).toHaveLength(70);
  expect(long?.slice(-6)).toEqual(short?.slice(-6));
});

it("says what a decoder's folder lacks", async () => {
  const folder = join(root, "broken");
  await cp(fixture("st-qwen3-yes-no"), folder, { recursive: true });
  await writeFile(join(folder, "chat_template.jinja"), "{{ messages[0].content }}");
  await expect(loadScorer(folder, options)).rejects.toThrow(/does not write query and document once each/);
  await rm(join(folder, "1_LogitScore"), { recursive: true });
  await expect(loadScorer(folder, options)).rejects.toThrow(/1_LogitScore.config\.json: missing, though modules\.json/);
});

it("a model without a head is no reranker, unless one is to be made", async () => {
  const plain = fixture("st-dense");
  await expect(loadScorer(plain, options)).rejects.toThrow(/no weight classifier\.weight .* is no reranker\. Give one/);
  const [first, again, other] = await Promise.all(
    [1, 1, 2].map((newHead) => loadScorer(plain, { ...options, newHead })),
  );
  expect(first?.weights.get("classifier.weight")?.shape).toEqual([1, 12]);
  expect(first?.weights.get("pre_classifier.bias")?.data.every((value) => value === 0)).toBe(true);
  expect(again?.weights).toEqual(first?.weights);
  expect(other?.weights.get("classifier.weight")).not.toEqual(first?.weights.get("classifier.weight"));
});
