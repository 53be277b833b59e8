import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createDocument,
  hashFile,
  type Reporter,
  readDocuments,
  readQuestions,
  silentReporter,
  writeJsonl,
} from "@rag-ft/core";
import { bf16Kernel, openEncoder, type PassageEncoder, readSafetensors } from "@rag-ft/models";
import { denseRetriever, evaluateRetriever, flattenQuestions, openIndex } from "@rag-ft/retrieval";
import { compileBf16, stopAfter } from "@rag-ft/test-utils";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { trainRetriever } from "./index.js";
import { sampleDatabase } from "./sample-database.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const TOPICS = ["timeout", "retries", "proxy", "cookies", "streaming", "headers", "caching", "redirects"];

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
  const documents = TOPICS.map((topic) =>
    createDocument(`The option called ${topic} controls ${topic} of a request.`, {
      source: `${topic}.md`,
      title: topic,
    }),
  );
  await writeJsonl(at("documents.jsonl"), documents);
  // Code words that only training can tie to their passages.
  const rows = documents.map((document, i) => ({
    gold_docs: [document],
    hard_neg_docs: [documents[(i + 1) % documents.length]],
    chat_history: [],
    questions: [`What is feature number ${i}?`, `Explain feature ${i} to me?`],
  }));
  await writeJsonl(at("train_w_q.jsonl"), rows);
  await writeJsonl(at("eval_w_q.jsonl"), rows);
  // What the base answers as it is: its question is the passage's own text.
  await writeJsonl(
    at("same.jsonl"),
    rows.map((row, i) => ({ ...row, questions: [documents[i]?.page_content] })),
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function settings(
  output: string,
  more: Record<string, unknown> = {},
): ReturnType<typeof trainRetriever.settings.parse> {
  return trainRetriever.settings.parse({
    model_path: ENCODER,
    full_dataset_file_path: at("documents.jsonl"),
    train_file: at("train_w_q.jsonl"),
    eval_file: at("eval_w_q.jsonl"),
    test_file: at("eval_w_q.jsonl"),
    output_dir: at(output),
    per_device_train_batch_size: 8,
    max_steps: 12,
    eval_steps: 6,
    learning_rate: 1e-3,
    ...more,
  });
}

async function lines(path: string): Promise<Record<string, number>[]> {
  return (await readFile(path, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Weights of a model's file, by name. */
const weightsOf = async (path: string): Promise<Map<string, Buffer>> =>
  new Map([...(await readSafetensors(path))].map(([name, { data }]) => [name, Buffer.from(data.buffer)]));
/** Names of the weights that differ in any bit. */
const changedSince = (base: Map<string, Buffer>, now: Map<string, Buffer>): string[] =>
  [...now].filter(([name, bytes]) => !base.get(name)?.equals(bytes)).map(([name]) => name);

/** The database with an encoder's vectors, from the folder that keeps those of several. */
async function indexed(encoder: PassageEncoder, root: string, reporter: Reporter) {
  const documents = await readDocuments(at("documents.jsonl"));
  const options = { reporter, signal: context.signal, indexPath: root };
  return { documents, index: await openIndex(documents, encoder, options) };
}

describe("train-retriever", () => {
  it("two runs at once into one folder are refused: the second says who is there, and spoils nothing", async () => {
    const both = await Promise.allSettled([
      trainRetriever.run(settings("both", { max_steps: 1 }), context),
      trainRetriever.run(settings("both", { max_steps: 1 }), context),
    ]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(String((both[1] as PromiseRejectedResult).reason)).toContain(`in use by process ${process.pid}`);
    expect((await readdir(at("both"))).filter((name) => name.startsWith("."))).toEqual([]);
  });

  const noBf16 = compileBf16();
  it.skipIf(noBf16)("in bf16 learns as in fp32, and keeps vectors of its own", async () => {
    const few = { max_steps: 5, eval_steps: 5, seed: 7 };
    await trainRetriever.run(settings("fp32", few), context);
    // Where the processor has none, the one that runs on any: its numbers are theirs.
    if (bf16Kernel() === undefined) process.env.RAG_FT_BF16_KERNEL = "emulated";
    try {
      await trainRetriever.run(
        settings("bf16", { ...few, precision: "bf16", index_path: at("bf16-vectors") }),
        context,
      );
    } finally {
      delete process.env.RAG_FT_BF16_KERNEL;
    }
    const [exact, rounded] = await Promise.all(["fp32", "bf16"].map((name) => lines(at(`${name}/train.jsonl`))));
    const losses = rounded?.map(({ loss }, i) => [loss as number, exact?.[i]?.loss as number] as const) ?? [];
    expect(losses).toHaveLength(5);
    for (const [loss, other] of losses) expect(Math.abs(loss - other)).toBeLessThan(0.02 * other);
    expect(losses.some(([loss, other]) => loss !== other)).toBe(true);
    // The base's and the result's; in fp32 neither is found.
    expect(await readdir(at("bf16-vectors"))).toHaveLength(2);
    const base = await openEncoder(ENCODER, context);
    await indexed(base, at("bf16-vectors"), silentReporter);
    expect(await readdir(at("bf16-vectors"))).toHaveLength(3);
    await base.close();
  });

  it("in bf16 on a processor without its instructions trains in fp32, and says so", async () => {
    if (noBf16) return;
    const warn = vi.fn();
    process.env.RAG_FT_BF16_KERNEL = "none";
    try {
      const all = { ...context, reporter: { ...silentReporter, warn } };
      await trainRetriever.run(settings("without-bf16", { max_steps: 2, eval_steps: 2, precision: "bf16" }), all);
    } finally {
      delete process.env.RAG_FT_BF16_KERNEL;
    }
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("multiplied in fp32"));
    await expect(
      trainRetriever.run(settings("elsewhere", { precision: "bf16", device: "webgpu" }), context),
    ).rejects.toThrow(/device/);
  });

  it("learns, logs, and leaves the best checkpoint as a model folder", async () => {
    const result = await trainRetriever.run(settings("run"), context);
    const evaluations = await lines(at("run/eval.jsonl"));
    expect(evaluations.map(({ step }) => step)).toEqual([0, 6, 12]);
    const recall = evaluations.map((line) => line["eval_retr/document_recall/recall4"] as number);
    expect(Math.max(...recall)).toBeGreaterThan(recall[0] as number);
    const training = await lines(at("run/train.jsonl"));
    expect(training).toHaveLength(12);
    for (const key of ["step", "loss", "lr", "grad_norm", "examples_per_s", "tokens_per_s", "peak_rss_mb"]) {
      expect(training[0]?.[key], key).toEqual(expect.any(Number));
    }
    expect(training.at(-1)?.loss).toBeLessThan((training[0]?.loss as number) * 0.8);

    const test = JSON.parse(await readFile(at("run/test.json"), "utf8"));
    const best = Math.max(...recall);
    expect(test.base["document_recall/recall4"]).toBe(recall[0]);
    expect(test.best["document_recall/recall4"]).toBe(best);
    expect(test.best.step).toBe(evaluations[recall.indexOf(best)]?.step);
    expect(result.summary).toMatch(/recall@4/);

    // The weight of BM25 is chosen on the eval split; weight 0 is the dense search that was measured.
    const hybrid = JSON.parse(await readFile(at("run/hybrid.json"), "utf8"));
    expect(hybrid).toMatchObject({ version: 1, chosen_by: "document_recall/recall4", questions: 16, passages: 8 });
    const recallOf = (weight: number): number =>
      hybrid.candidates.find(({ bm25_weight }: { bm25_weight: number }) => bm25_weight === weight).figures[
        "document_recall/recall4"
      ];
    expect(recallOf(0)).toBe(best);
    expect(recallOf(hybrid.bm25_weight)).toBeGreaterThanOrEqual(best);
    // Eval and test questions are the same here.
    expect(test.hybrid).toMatchObject({
      bm25_weight: hybrid.bm25_weight,
      "document_recall/recall4": recallOf(hybrid.bm25_weight),
    });
    expect(result.summary).toContain(`step ${test.best.step} + ${hybrid.bm25_weight} BM25`);
    // The summary says what to set just where the gain is beyond chance.
    const { retrieval, gain, low } = hybrid.over_dense;
    expect(gain).toBeCloseTo(recallOf(hybrid.bm25_weight) - best, 12);
    expect(retrieval).toBe(low > 0 ? "hybrid" : "dense");
    expect(result.summary?.includes("Set --retrieval hybrid")).toBe(low > 0);

    // The model's card has what was measured.
    const card = await readFile(at("run/README.md"), "utf8");
    expect(card).toMatch(/^---\nlibrary_name: sentence-transformers\npipeline_tag: sentence-similarity\n/);
    expect(card).toContain(
      `| questions to train on, each with its passage | ${(await lines(at("train_w_q.jsonl"))).flatMap((row) => row.questions).length} |`,
    );
    const ends = (test.best["document_recall/recall4_ci95"] as number[]).map((end) => end.toFixed(3)).join(" to ");
    expect(card).toContain(`| recall@4 | ${recall[0]?.toFixed(3)} (`);
    expect(card).toContain(` | ${best.toFixed(3)} (${ends}) | `);
    expect(card).toContain('SentenceTransformer("path/to/this/model")');

    // The output folder is the checkpoint, and its vectors are those that were measured.
    expect((await readdir(at("run"))).filter((name) => name.startsWith("checkpoint-"))).toEqual([
      `checkpoint-${test.best.step}`,
    ]);
    const options = { env: {}, reporter: silentReporter };
    const [root, checkpoint, base] = await Promise.all([
      openEncoder(at("run"), options),
      openEncoder(at(`run/checkpoint-${test.best.step}`), options),
      openEncoder(ENCODER, options),
    ]);
    expect(root.fingerprint).toBe(checkpoint.fingerprint);
    expect(root.fingerprint).not.toBe(base.fingerprint);
    expect(root.settings).toEqual({ ...base.settings, similarity: "cosine" });
    await Promise.all([root.close(), checkpoint.close(), base.close()]);
  });

  it("gives the same weights for the same seed, and others for another", async () => {
    const short = { max_steps: 2, eval_steps: 0, do_eval: false };
    const hashOf = async (name: string, seed: number, more: object = {}): Promise<string> => {
      await trainRetriever.run(settings(name, { ...short, seed, test_file: undefined, ...more }), context);
      return hashFile(at(`${name}/model.safetensors`));
    };
    await mkdir(at("seed-a"));
    await writeFile(at("seed-a/hybrid.json"), "of other weights");
    const first = await hashOf("seed-a", 1);
    expect(await readdir(at("seed-a"))).not.toContain("hybrid.json");
    expect(await hashOf("seed-b", 1)).toBe(first);
    expect(await hashOf("seed-c", 2)).not.toBe(first);

    const dropped = await hashOf("seed-d", 1, { dropout: 0.1 });
    expect(dropped).not.toBe(first);
    expect(await hashOf("seed-e", 1, { dropout: 0.1 })).toBe(dropped);
    expect(await hashOf("seed-f", 2, { dropout: 0.1 })).not.toBe(dropped);
  });

  it("masks near-duplicates of the gold passages when told to, and records how many", async () => {
    const said: string[] = [];
    const say = (line: string): number => said.push(line);
    const reporter: Reporter = { ...silentReporter, info: say, warn: say };
    const words = "the option called timeout sets how long a request may take before it is given up";
    const passages = [words, `${words} or tried again`, "cookies are kept between requests of a client"].map(
      (text, i) => createDocument(text, { source: `${i}.md` }),
    );
    await writeJsonl(
      at("near_w_q.jsonl"),
      passages.map((gold, i) => ({
        gold_docs: [gold],
        hard_neg_docs: [],
        chat_history: [],
        questions: [`What is it, number ${i}?`],
      })),
    );
    const run = async (name: string, more: Record<string, unknown>): Promise<{ hash: string; record: unknown }> => {
      const data = { train_file: at("near_w_q.jsonl"), test_file: undefined, do_eval: false };
      const short = { max_steps: 2, per_device_train_batch_size: 3, hard_neg_ratio: 0 };
      const { record } = await trainRetriever.run(settings(name, { ...data, ...short, ...more }), {
        ...context,
        reporter,
      });
      return { record, hash: await hashFile(at(`${name}/model.safetensors`)) };
    };
    const plain = await run("near-plain", {});
    const masked = await run("near-masked", { mask_near_duplicates: true });
    expect(plain.record).toBeUndefined();
    // In each of two batches of three questions, the first two passages are no negatives of one another's question.
    expect(masked.record).toEqual({ near_duplicates: { pairs: 12, masked_pairs: 4, share: 4 / 12 } });
    expect(said).toContain("near-duplicates: 4 of 12 pairs of question and passage (33.33 %) are no negatives");
    expect(masked.hash).not.toBe(plain.hash);
  });

  it("trains lengths of vectors, and refuses one that they do not have", async () => {
    const run = async (name: string, more: Record<string, unknown>): Promise<string> => {
      const short = { max_steps: 1, eval_steps: 0, do_eval: false, test_file: undefined };
      await trainRetriever.run(settings(name, { ...short, ...more }), context);
      return hashFile(at(`${name}/model.safetensors`));
    };
    const whole = await run("whole-vectors", {});
    expect(await run("two-lengths", { matryoshka_dims: "16,8" })).not.toBe(whole);
    await expect(run("too-long", { matryoshka_dims: "4096,8" })).rejects.toThrow(
      /matryoshka_dims: 4096 is more than the \d+ entries of the vectors/,
    );
    // Cut vectors are what is trained, and saved with the model.
    expect(await run("cut", { truncate_dim: "16", do_eval: true })).not.toBe(whole);
    const saved = await readFile(at("cut/config_sentence_transformers.json"), "utf8");
    expect(JSON.parse(saved)).toMatchObject({ truncate_dim: 16 });
  });

  it("the seed's temperature of 1 means dot products, a similarity given wins", async () => {
    const run = async (name: string, more: Record<string, unknown>): Promise<string> => {
      await trainRetriever.run(
        settings(name, { max_steps: 1, eval_steps: 0, do_eval: false, test_file: undefined, ...more }),
        context,
      );
      return JSON.parse(await readFile(at(`${name}/config_sentence_transformers.json`), "utf8")).similarity_fn_name;
    };
    expect(await run("dot", { temperature: "1" })).toBe("dot");
    expect(await run("cosine", { temperature: "1", similarity: "cosine" })).toBe("cosine");
  });

  describe("never worse than the base", () => {
    const METRIC = "eval_retr/mrr";
    const ALPHAS = "0.25, 0.5";
    interface Written {
      verdict: string;
      kept: { step: number; alpha?: number };
      candidates: { step: number; alpha?: number; figures: Record<string, number> }[];
      difference?: { mean: number; low: number; questions: number };
    }
    const choiceOf = async (name: string): Promise<Written> =>
      JSON.parse(await readFile(at(`${name}/choice.json`), "utf8"));
    const modelOf = (...names: string[]): Promise<Map<string, Buffer>> =>
      weightsOf(join(...names, "model.safetensors"));

    it("a training that hurts leaves the base's bits, and says so", async () => {
      const hurting = { learning_rate: 0.5, max_steps: 3, eval_steps: 1, metric_for_best_model: METRIC };
      const { summary } = await trainRetriever.run(
        settings("hurt", { ...hurting, eval_file: at("same.jsonl") }),
        context,
      );
      const evaluations = await lines(at("hurt/eval.jsonl"));
      expect(evaluations[0]?.[METRIC]).toBeGreaterThan(0.8);
      expect(evaluations.at(-1)?.[METRIC]).toBeLessThan(evaluations[0]?.[METRIC] as number);
      expect(summary).toMatch(/No checkpoint beat the base: MRR .* The base is kept\. More questions may help/);
      expect(changedSince(await modelOf(ENCODER), await modelOf(at("hurt")))).toEqual([]);
      expect((await choiceOf("hurt")).kept).toEqual({ step: 0 });
    });

    it("weights between base and tuned are candidates; the best of all is what the folder holds", async () => {
      const { summary } = await trainRetriever.run(
        settings("between", { interpolate: ALPHAS, metric_for_best_model: METRIC, learning_rate: 3e-3 }),
        context,
      );
      const { kept, candidates, difference } = await choiceOf("between");
      const evaluations = await lines(at("between/eval.jsonl"));
      expect(candidates.map(({ alpha }) => alpha)).toEqual([undefined, 0.25, 0.5]);
      const figures = candidates.map((one) => one.figures[METRIC] as number);
      expect(new Set([evaluations[0]?.[METRIC], ...figures]).size).toBe(4);
      const best = candidates[figures.indexOf(Math.max(...figures))];
      expect(kept).toEqual(best?.alpha === undefined ? { step: best?.step } : { step: best.step, alpha: best.alpha });
      expect(Math.max(...figures) - (evaluations[0]?.[METRIC] as number)).toBeCloseTo(difference?.mean as number, 10);
      expect(difference?.questions).toBe(16);
      expect(summary).toMatch(/step \d+ at alpha 0\.5/);
      // The test file holds the same questions: what the folder holds is what was measured.
      const test = JSON.parse(await readFile(at("between/test.json"), "utf8"));
      expect(test.best).toMatchObject({ ...kept, mrr: Math.max(...figures) });
    });

    it.each([
      ["all weights", {}],
      ["adapters", { lora_r: 4, lora_target_modules: "query,value" }],
    ])("a share of nearly 0 gives nearly the base, and of nearly 1 nearly the tuned model: %s", async (name, more) => {
      const run = `edges ${name}`;
      const alphas = { interpolate: "1e-9,0.999999999", metric_for_best_model: METRIC, learning_rate: 3e-3 };
      await trainRetriever.run(settings(run, { ...alphas, ...more, test_file: undefined }), context);
      const { candidates } = await choiceOf(run);
      const base = (await lines(at(`${run}/eval.jsonl`)))[0];
      const [tuned, low, high] = candidates.map((one) => one.figures[METRIC]);
      expect(low).toBe(base?.[METRIC]);
      expect(high).toBe(tuned);
      expect(tuned).not.toBe(low);
    });

    it("a gain that may be chance keeps the base when only a significant one counts", async () => {
      const chance = {
        max_steps: 2,
        warmup_ratio: 0,
        eval_steps: 1,
        learning_rate: 3e-3,
        metric_for_best_model: METRIC,
      };
      const said = await trainRetriever.run(settings("chance-better", chance), context);
      expect(said.summary).toMatch(/Step 1 does not beat the base beyond chance: .* step 1 is kept/);
      expect((await choiceOf("chance-better")).kept).toEqual({ step: 1 });
      const other = settings("chance", { ...chance, keep_base_unless: "significant" });
      const { summary } = await trainRetriever.run(other, context);
      expect(summary).toMatch(/beyond chance: .* The base is kept; step 1 stays in its folder\. More questions/);
      expect(changedSince(await modelOf(ENCODER), await modelOf(at("chance")))).toEqual([]);
      expect(changedSince(await modelOf(at("chance-better")), await modelOf(at("chance/checkpoint-1")))).toEqual([]);
    });

    it("keeps the base's and the result's vectors for whoever loads them", async () => {
      const said: string[] = [];
      const reporter = { ...silentReporter, info: (message: string) => said.push(message) };
      const options = {
        interpolate: "0.5",
        metric_for_best_model: METRIC,
        learning_rate: 3e-3,
        index_path: at("vectors"),
        test_file: undefined,
      };
      const run = (name: string): Promise<unknown> =>
        trainRetriever.run(settings(name, options), { ...context, reporter });
      await run("kept-vectors");
      expect((await choiceOf("kept-vectors")).kept.step).toBeGreaterThan(0);
      expect(await readdir(at("vectors"))).toHaveLength(2);
      for (const model of [ENCODER, at("kept-vectors")]) {
        const encoder = await openEncoder(model, { env: {}, reporter });
        const { index, documents } = await indexed(encoder, at("vectors"), reporter);
        const fresh = await encoder.embed(
          documents.map(({ fmt_content }) => fmt_content),
          "passage",
        );
        for (const [i, value] of (await index.store.vectors([...documents.keys()])).entries())
          expect(value).toBeCloseTo(fresh[i] as number, 5);
        await encoder.close();
      }
      expect(said.filter((line) => line.includes("read from the index"))).toHaveLength(2);
      await run("kept-vectors-again");
      expect(said.filter((line) => line.includes("read from the index"))).toHaveLength(3);
      expect(await lines(at("kept-vectors-again/eval.jsonl"))).toEqual(await lines(at("kept-vectors/eval.jsonl")));
    });

    it("without evaluations there is nothing to choose by", async () => {
      const run = (more: Record<string, unknown>): Promise<unknown> =>
        trainRetriever.run(settings("blind", { do_eval: false, ...more }), context);
      await expect(run({ interpolate: "0.5" })).rejects.toThrow(/leave do_eval true/);
      await expect(run({ keep_base_unless: "significant" })).rejects.toThrow(/leave do_eval true/);
      expect(() => settings("blind", { interpolate: "0.5,1" })).toThrow(/below 1, which is the tuned model/);
    });
  });

  describe("with LoRA", () => {
    const lora = { lora_r: "4", lora_alpha: "8", lora_target_modules: "query,value" };
    const isAdapted = (name: string): boolean => /\.(query|value)\.weight$/.test(name);
    it("learns with frozen weights, and leaves the merged model with PEFT's adapter beside it", async () => {
      const said: string[] = [];
      const reporter = { ...silentReporter, info: (message: string) => said.push(message) };
      await trainRetriever.run(settings("lora", { ...lora, learning_rate: 2e-2 }), { ...context, reporter });
      expect(said.find((line) => line.startsWith("LoRA"))).toMatch(/rank 4, alpha 8, on 6 linear layers/);
      const recall = (await lines(at("lora/eval.jsonl"))).map(
        (line) => line["eval_retr/document_recall/recall4"] as number,
      );
      expect(Math.max(...recall)).toBeGreaterThan(recall[0] as number);

      const base = await weightsOf(join(ENCODER, "model.safetensors"));
      const merged = await weightsOf(at("lora/model.safetensors"));
      expect(changedSince(base, merged)).toEqual([...merged.keys()].filter(isAdapted));
      const adapter = await weightsOf(at("lora/adapter/adapter_model.safetensors"));
      expect([...adapter.keys()].filter((name) => name.includes("lora_A"))).toEqual(
        [...merged.keys()]
          .filter(isAdapted)
          .map((name) => `base_model.model.${name.replace(/weight$/, "lora_A.weight")}`),
      );
      expect(JSON.parse(await readFile(at("lora/adapter/adapter_config.json"), "utf8"))).toMatchObject({
        base_model_name_or_path: ENCODER,
        task_type: "FEATURE_EXTRACTION",
        r: 4,
        lora_alpha: 8,
      });
      // Later stages take the folder for the plain model it is.
      const encoder = await openEncoder(at("lora"), { env: {}, reporter: silentReporter });
      expect(await encoder.embed(["What is feature number 1?"], "query")).toHaveLength(encoder.dimensions);
      await encoder.close();

      // Another run into the folder, of all weights: that adapter is no longer its.
      await trainRetriever.run(
        settings("lora", { max_steps: 1, eval_steps: 0, do_eval: false, test_file: undefined }),
        context,
      );
      expect(await readdir(at("lora"))).not.toContain("adapter");
    });

    it("the base is kept, with an adapter that adds nothing, when no step is better", async () => {
      const none = { ...lora, learning_rate: 1e-12, max_steps: 2, eval_steps: 0, test_file: undefined };
      await trainRetriever.run(settings("lora-base", none), context);
      const base = await weightsOf(join(ENCODER, "model.safetensors"));
      const kept = await weightsOf(at("lora-base/model.safetensors"));
      expect(kept.size).toBe(base.size);
      expect(changedSince(base, kept)).toEqual([]);
      for (const [name, bytes] of await weightsOf(at("lora-base/adapter/adapter_model.safetensors"))) {
        expect(
          bytes.every((byte) => byte === 0),
          name,
        ).toBe(name.includes("lora_B"));
      }
    });

    it("stopped and started again, ends with the bits of a run that was not", async () => {
      const short = { ...lora, learning_rate: 2e-2, max_steps: 4, eval_steps: 4, test_file: undefined };
      await trainRetriever.run(settings("lora-whole", short), context);
      const base = await weightsOf(join(ENCODER, "model.safetensors"));
      expect(changedSince(base, await weightsOf(at("lora-whole/model.safetensors")))).toHaveLength(6);
      await expect(
        trainRetriever.run(settings("lora-stopped", short), { ...context, ...stopAfter(2) }),
      ).rejects.toThrow(/after step 2 of 4/);
      const said: string[] = [];
      const reporter = { ...silentReporter, info: (message: string) => said.push(message) };
      await trainRetriever.run(settings("lora-stopped", short), { ...context, reporter });
      expect(said.find((line) => line.includes("going on"))).toMatch(/after step 2 of 4/);
      for (const name of ["model.safetensors", "adapter/adapter_model.safetensors"]) {
        expect(await hashFile(at(`lora-stopped/${name}`)), name).toBe(await hashFile(at(`lora-whole/${name}`)));
      }
    });

    it("a layer that is not there is an error before anything is written", async () => {
      await expect(
        trainRetriever.run(settings("lora-wrong", { lora_r: 4, lora_target_modules: "q_proj" }), context),
      ).rejects.toThrow(/no linear layer named "q_proj"\. Known: all-linear, attention\.self\.query,/);
      await expect(trainRetriever.run(settings("lora-wrong", { lora_alpha: 4 }), context)).rejects.toThrow(
        /lora_r is 0/,
      );
      expect(await readdir(folder)).not.toContain("lora-wrong");
    });
  });

  it("evaluates on a part of the database when told to, under names that say so, and tests on the whole", async () => {
    const rows = (await readFile(at("eval_w_q.jsonl"), "utf8")).split("\n").slice(0, 2);
    await writeFile(at("two.jsonl"), rows.join("\n"));
    const how = { eval_file: at("two.jsonl"), eval_passages: 2, metric_for_best_model: "mrr@4" };
    const result = await trainRetriever.run(settings("part", how), context);
    // Passages 0 and 1 are gold, 1 and 2 hard negatives; and two others.
    const evaluations = await lines(at("part/eval.jsonl"));
    for (const { step: _, ...figures } of evaluations)
      expect(Object.keys(figures).filter((name) => !name.startsWith("eval_of_5_retr/"))).toEqual([]);
    expect(result.summary).toMatch(/^eval, 5 passages +base/m);
    expect(result.summary).toContain("MRR@4 among 5");
    expect(Object.keys(result.figures ?? {}).filter((name) => name.startsWith("eval_retr/"))).toEqual([]);
    expect(JSON.parse(await readFile(at("part/choice.json"), "utf8")).metric).toBe("eval_of_5_retr/mrr@4");

    const documents = await readDocuments(at("documents.jsonl"));
    const questions = flattenQuestions(await readQuestions(at("two.jsonl")));
    const part = sampleDatabase(documents, questions, { count: 2, seed: settings("part").seed });
    expect(part).toHaveLength(5);
    expect(part.slice(0, 3)).toEqual(documents.slice(0, 3));
    const encoder = await openEncoder(ENCODER, { env: {}, reporter: silentReporter });
    const index = await openIndex(part, encoder, context);
    const { figures } = await evaluateRetriever(denseRetriever(index, encoder), { questions, ...context });
    expect(evaluations[0]?.["eval_of_5_retr/mrr@4"]).toBeCloseTo(figures["mrr@4"] as number, 12);
    await encoder.close();
    // All eight are in the test: its figures have their usual names, and are those of a run without the setting.
    await trainRetriever.run(settings("whole", { ...how, eval_passages: 6 }), context);
    const test = async (name: string) => JSON.parse(await readFile(at(`${name}/test.json`), "utf8"));
    expect((await test("part")).passages).toBe(8);
    expect((await test("part")).base).toEqual((await test("whole")).base);
    expect(Object.keys((await lines(at("whole/eval.jsonl")))[0] ?? {})).toContain("eval_retr/mrr");
  });

  it("a bad input costs nothing: earlier output stays", async () => {
    const before = await readdir(at("run"));
    await writeFile(at("broken_w_q.jsonl"), '{"gold_docs": []}\n');
    await expect(trainRetriever.run(settings("run", { eval_file: at("broken_w_q.jsonl") }), context)).rejects.toThrow(
      /broken_w_q\.jsonl:1: not questions/,
    );
    expect(() => settings("run", { max_steps: 0 })).toThrow(/0 steps train nothing; give --do_train false/);
    await expect(
      trainRetriever.run(
        settings("no-negatives", { per_device_train_batch_size: 1, gradient_accumulation_steps: 6 }),
        context,
      ),
    ).rejects.toThrow(/no batch has a negative.*per_device_train_batch_size is 1/);
    await expect(trainRetriever.run(settings("run", { model_path: at("nowhere") }), context)).rejects.toThrow(
      /nowhere/,
    );
    expect(await readdir(at("run"))).toEqual(before);
    expect(await lines(at("run/train.jsonl"))).toHaveLength(12);
  });
});
