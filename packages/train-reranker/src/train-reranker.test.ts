import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, createRandom, hashFile, readDocuments, silentReporter, writeJsonl } from "@rag-ft/core";
import { loadScorer, openScorer, readSafetensors } from "@rag-ft/models";
import { readRerankerFile } from "@rag-ft/retrieval";
import { stopAfter } from "@rag-ft/test-utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainReranker } from "./index.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const WORDS =
  "alpha bravo delta gamma kappa lambda omega sigma theta zeta iota tau apple river stone cloud paper metal glass horse".split(
    " ",
  );
/** Passages that answer all that is asked; only training can tell a reranker so. */
const ANSWERS = 4;

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-reranker-"));
  const documents = WORDS.map((word, i) => {
    const others = [1, 2, 3].map((by) => WORDS[(i * 7 + by) % WORDS.length]).join(" or ");
    return createDocument(`${i < ANSWERS ? "Solved" : "Noise"}: ${word} with ${others}.`, { source: `${word}.md` });
  });
  const row = (place: number, questions: string[]) => ({
    gold_docs: [documents[place]],
    hard_neg_docs: [documents[ANSWERS], documents[ANSWERS + 1], documents[place]],
    chat_history: [],
    questions,
  });
  const ask = (number: number): string => `What is feature ${number}?`;
  await writeJsonl(at("documents.jsonl"), documents);
  const own = Array.from({ length: ANSWERS }, (_, i) =>
    row(
      i,
      [0, 1, 2, 3, 4, 5].map((j) => ask(6 * i + j)),
    ),
  );
  await writeJsonl(at("own_w_q.jsonl"), own);
  // Dealt anew among passages: what training finds holds for no other question.
  for (const [seed, split] of ["train", "eval"].entries()) {
    const places = createRandom(seed).shuffle([...documents.keys()]);
    await writeJsonl(
      at(`dealt_${split}_w_q.jsonl`),
      places.map((place, i) => row(place, [ask(100 * seed + i)])),
    );
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function settings(output: string, more: Record<string, unknown> = {}) {
  return trainReranker.settings.parse({
    model_path: ENCODER,
    embedding_model: ENCODER,
    retrieval: "dense",
    index_path: at("vectors"),
    full_dataset_file_path: at("documents.jsonl"),
    train_file: at("own_w_q.jsonl"),
    eval_file: at("own_w_q.jsonl"),
    output_dir: at(output),
    per_device_train_batch_size: 8,
    num_negatives: 3,
    negative_margin: 1,
    rerank_top_n: 20,
    max_steps: 4,
    eval_steps: 2,
    learning_rate: 1e-3,
    save_onnx: false,
    ...more,
  });
}

const lines = async (path: string): Promise<Record<string, number>[]> =>
  (await readFile(path, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const json = async (...names: string[]) => JSON.parse(await readFile(at(...names), "utf8"));

describe("train-reranker", { timeout: 180_000 }, () => {
  it("an encoder gets a head, learns, is compared with the search alone, and is left with its weight", async () => {
    const said: string[] = [];
    const reporter = { ...silentReporter, info: (line: string) => said.push(line) };
    const flags = {
      max_steps: 30,
      eval_steps: 10,
      learning_rate: 3e-3,
      test_file: at("own_w_q.jsonl"),
      save_onnx: true,
    };
    const result = await trainReranker.run(settings("run", { ...flags, keep_base_unless: "better" }), {
      ...context,
      reporter,
    });
    expect(said.join("\n")).toMatch(
      /a new head of one label \(normal, deviation 0\.02, seed 42; biases 0\); 24 questions, listwise loss/,
    );
    const evaluations = await lines(at("run/eval.jsonl"));
    expect(evaluations[0]?.step).toBe(0);
    const mrr = evaluations.map((line) => line["eval_retr/mrr"] as number);
    const training = await lines(at("run/train.jsonl"));
    expect(training.at(-1)?.loss).toBeLessThan((training[0]?.loss as number) * 0.8);
    expect(Math.max(...mrr)).toBeGreaterThan(mrr[0] as number);

    // Eval and test questions are the same here, and step 0 is the search alone: weight 0 of any reading.
    const test = await json("run", "test.json");
    const file = await readRerankerFile(at("run"));
    expect(test.base.mrr).toBeCloseTo(mrr[0] as number, 12);
    expect(file?.candidates.map((one) => one.rerank_weight)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(file?.candidates[0]?.figures.mrr).toBeCloseTo(mrr[0] as number, 12);
    expect(file).toMatchObject({ first_stage: "vectors", chosen_by: "mrr", questions: 24, rerank_top_n: 20 });
    expect(file?.rerank_weight).toBeGreaterThan(0);
    expect(test.reranked).toMatchObject({ rerank_weight: file?.rerank_weight });
    expect(test.best.mrr).toBe(Math.max(...mrr));
    expect(result.summary).toMatch(/The base is the search alone \(vectors\)/);
    expect(result.summary).toMatch(/Reranking at weight .* on 24 eval questions/);
    expect(result.record).toMatchObject({ first_stage: "vectors", negatives: { near_duplicates: expect.any(Number) } });

    // The folder is a reranker for us and for others.
    expect(await json("run", "config.json")).toMatchObject({
      id2label: { 0: "LABEL_0" },
      sentence_transformers: { activation_fn: "torch.nn.modules.activation.Sigmoid" },
    });
    expect(await readdir(at("run", "onnx"))).toContain("model.onnx");
    const card = await readFile(at("run", "README.md"), "utf8");
    expect(card).toMatch(/pipeline_tag: text-ranking\n/);
    expect(card).toMatch(/\| `first_stage` \| `vectors` \|/);
    expect(card).toMatch(/On 24 test questions/);
    const scorer = await openScorer(at("run"), context);
    const [solved, noise] = (await readDocuments(at("documents.jsonl"))).filter((_, i) => i % ANSWERS === 0);
    const pairs = [solved, noise].map((one) => ["What is feature 1?", one?.fmt_content ?? ""] as const);
    const [right, wrong] = await scorer.score(pairs);
    expect(right).toBeGreaterThan(wrong as number);
    await scorer.close();
  });

  it("questions dealt anew among passages: nothing is claimed, the base stays, and the reranker is of no use", async () => {
    const dealt = { train_file: at("dealt_train_w_q.jsonl"), eval_file: at("dealt_eval_w_q.jsonl") };
    const { summary } = await trainReranker.run(
      settings("dealt", { ...dealt, max_steps: 12, learning_rate: 5e-4 }),
      context,
    );
    expect((await json("dealt", "choice.json")).kept).toEqual({ step: 0 });
    expect((await readRerankerFile(at("dealt")))?.rerank_weight).toBe(0);
    expect(summary).toMatch(
      /The search alone is kept: weight 0 in reranker\.json, with which --reranker .* changes nothing/,
    );
    expect(summary).not.toMatch(/beats the (base|search alone) beyond chance/);
    // The base's weights, with the head as it was made.
    const base = await loadScorer(ENCODER, { ...context, newHead: 42 });
    const kept = await readSafetensors(at("dealt", "model.safetensors"));
    expect([...kept.keys()].sort()).toEqual([...base.weights.keys()].sort());
    for (const [name, { data }] of kept) expect(base.weights.get(name)?.data, name).toEqual(data);
  });

  it("a reranker goes on from its own head, and is compared with itself and with the search alone", async () => {
    const flags = { model_path: at("run"), max_steps: 2, test_file: at("own_w_q.jsonl") };
    const { summary } = await trainReranker.run(settings("again", flags), context);
    const [base] = await lines(at("again", "eval.jsonl"));
    expect(base?.["eval_retr/mrr"]).toBeCloseTo((await json("run", "test.json")).best.mrr, 6);
    expect(summary).toMatch(/^eval +vectors/m);
    expect(Object.keys(await json("again", "test.json"))).toContain("first_stage");
  });

  it.each([
    ["all weights", {}],
    ["adapters", { lora_r: 2, lora_target_modules: "query,value" }],
  ])("stopped and started again, ends with the bits of a run that was not: %s", async (name, more) => {
    const short = { ...more, eval_steps: 4, keep_base_unless: "better", loss: "binary" };
    const [whole, stopped] = [`whole ${name}`, `stopped ${name}`];
    await trainReranker.run(settings(whole, short), context);
    await expect(trainReranker.run(settings(stopped, short), { ...context, ...stopAfter(2) })).rejects.toThrow(
      /after step 2 of 4/,
    );
    const said: string[] = [];
    await trainReranker.run(settings(stopped, short), {
      ...context,
      reporter: { ...silentReporter, info: (line) => said.push(line) },
    });
    expect(said.join("\n")).toMatch(/going on after step 2 of 4/);
    for (const file of ["model.safetensors", "eval.jsonl", "reranker.json", "choice.json"])
      expect(await hashFile(at(stopped, file)), file).toBe(await hashFile(at(whole, file)));
    // A head that was just made is trained beside adapters, too, and stands whole in their folder.
    const head = (await readSafetensors(at(whole, "checkpoint-4", "model.safetensors"))).get("classifier.weight");
    const made = (await loadScorer(ENCODER, { ...context, newHead: 42 })).weights.get("classifier.weight");
    expect(head?.data).not.toEqual(made?.data);
    if (name !== "adapters") return;
    const adapter = await readSafetensors(at(whole, "checkpoint-4", "adapter", "adapter_model.safetensors"));
    expect(adapter.get("base_model.model.classifier.weight")?.data).toEqual(head?.data);
  });

  it("takes the rows' own negatives when told to: none that is gold, and with them bm25 needs no encoder", async () => {
    const flags = { negatives: "rows", retrieval: "bm25", embedding_model: undefined, do_eval: false, max_steps: 1 };
    const { record } = await trainReranker.run(settings("rows", flags), context);
    // Two a question: the third is the gold passage itself.
    expect(record).toMatchObject({ first_stage: "BM25", negatives: { negatives: 48, near_duplicates: 0 } });
  });

  it("cuts the passage of a long pair and saves the length", async () => {
    const flags = { max_seq_length: 16, do_eval: false, max_steps: 1 };
    await trainReranker.run(settings("cut", flags), context);
    expect(await json("cut", "tokenizer_config.json")).toMatchObject({ model_max_length: 16 });
    const { maxLength } = await loadScorer(at("cut"), context);
    expect(maxLength).toBe(16);
  });

  it("says what does not fit before anything is written", async () => {
    const run = (more: Record<string, unknown>) => trainReranker.run(settings("wrong", more), context);
    await expect(run({ embedding_model: undefined })).rejects.toThrow(
      /embedding_model missing: retrieval dense wants an encoder/,
    );
    await expect(run({ retrieval: "bm25" })).rejects.toThrow(/negatives mined leaves out .* Give --retrieval hybrid/);
    await expect(run({ negative_margin: 1e-9 })).rejects.toThrow(/none of the 24 questions has a negative/);
    await expect(run({ max_seq_length: 100000 })).rejects.toThrow(/max_length is 100000, but the model takes at most/);
    expect(() => settings("wrong", { rerank_top_n: 2 })).toThrow();
    expect(() => settings("wrong", { metric_for_best_model: "mrr@4" })).toThrow();
  });
});
