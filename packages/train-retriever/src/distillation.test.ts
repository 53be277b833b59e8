import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createDocument,
  createRandom,
  type Document,
  documentId,
  hashFile,
  type Reporter,
  silentReporter,
  writeJsonl,
} from "@rag-ft/core";
import { openEncoder } from "@rag-ft/models";
import { innerProduct, type PassageScores } from "@rag-ft/retrieval";
import { stopAfter } from "@rag-ft/test-utils";
import { createContrastiveLoss, createDistillationLoss } from "@rag-ft/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawLists, withDistillation } from "./distillation.js";
import { trainRetriever } from "./index.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const TOPICS = ["timeout", "retries", "proxy", "cookies"];
const DOCUMENTS = TOPICS.map((topic) =>
  createDocument(`The option called ${topic} controls ${topic} of a request.`, { source: `${topic}.md` }),
);
const QUESTIONS = TOPICS.map((_, i) => `What is feature number ${i}?`);

let folder: string;
const at = (name: string): string => join(folder, name);

/** Scores as score-passages writes them: of each question's gold passage and the three that follow it. */
const scores = (scoreOf: (question: number, place: number) => number): PassageScores[] =>
  QUESTIONS.map((question, i) => ({
    version: 1,
    question,
    passages: [0, 1, 2, 3].map((place) => {
      const document = DOCUMENTS[(i + place) % DOCUMENTS.length] as Document;
      return { id: documentId(document), source: document.metadata.source, score: scoreOf(i, place) };
    }),
    scored_by: { kind: "reranker", model: "a-reranker", hash: "h" },
    key: String(i),
  }));

/** The teacher finds the third passage best, and the gold one worst. */
const CONTRARY = [0, 2, 6, 1];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-distillation-"));
  await writeJsonl(at("documents.jsonl"), DOCUMENTS);
  await writeJsonl(
    at("w_q.jsonl"),
    DOCUMENTS.map((gold, i) => ({ gold_docs: [gold], hard_neg_docs: [], chat_history: [], questions: [QUESTIONS[i]] })),
  );
  await writeJsonl(
    at("scores.jsonl"),
    scores((_, place) => CONTRARY[place] as number),
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const settings = (output: string, more: Record<string, unknown> = {}) =>
  trainRetriever.settings.parse({
    model_path: ENCODER,
    full_dataset_file_path: at("documents.jsonl"),
    train_file: at("w_q.jsonl"),
    eval_file: at("w_q.jsonl"),
    output_dir: at(output),
    per_device_train_batch_size: 6,
    max_steps: 2,
    learning_rate: 1e-3,
    do_eval: false,
    save_onnx: false,
    threads: 1,
    distil_from: at("scores.jsonl"),
    ...more,
  });

/** For each question, the places of its list in the order of the encoder's similarities, best first. */
async function rankings(model: string): Promise<number[][]> {
  const encoder = await openEncoder(model, { env: {}, reporter: silentReporter });
  const queries = await encoder.embed(QUESTIONS, "query");
  const passages = await encoder.embed(
    DOCUMENTS.map(({ fmt_content }) => fmt_content),
    "passage",
  );
  await encoder.close();
  const row = (all: Float32Array, i: number) => all.subarray(i * encoder.dimensions, (i + 1) * encoder.dimensions);
  return QUESTIONS.map((_, i) => {
    const found = [0, 1, 2, 3].map((place) =>
      innerProduct(row(queries, i), row(passages, (i + place) % DOCUMENTS.length)),
    );
    return [0, 1, 2, 3].sort((a, b) => (found[b] as number) - (found[a] as number));
  });
}

describe("train-retriever with a teacher", { timeout: 180_000 }, () => {
  it.each(["kl", "margin_mse"])("%s: learns the order of its teacher where that is all the loss", async (loss) => {
    const best = (all: number[][]): number => all.filter(([first]) => first === 2).length;
    expect(best(await rankings(ENCODER))).toBeLessThan(3);
    const said: string[] = [];
    const reporter: Reporter = { ...silentReporter, info: (line) => said.push(line) };
    const { record } = await trainRetriever.run(
      settings(loss, { max_steps: 32, learning_rate: 3e-3, distil_weight: 1, distil_passages: 4, distil_loss: loss }),
      { ...context, reporter },
    );
    expect(best(await rankings(at(loss)))).toBe(4);
    expect(record).toEqual({ distilled_from: { kind: "reranker", model: "a-reranker", hash: "h" } });
    expect(said.join("\n")).toContain(
      `1 of the loss is ${loss} to the reranker a-reranker / 1, up to 4 passages a question`,
    );
    expect(await readFile(at(`${loss}/README.md`), "utf8")).toMatch(/distil_from.*reranker a-reranker/);
  });

  it("stopped and started again, ends with the bits of a run that was not; other scores are another run", async () => {
    await trainRetriever.run(settings("whole"), context);
    await expect(trainRetriever.run(settings("stopped"), { ...context, ...stopAfter(1) })).rejects.toThrow(
      /after step 1 of 2/,
    );
    const said: string[] = [];
    const reporter: Reporter = { ...silentReporter, info: (line) => said.push(line), warn: (line) => said.push(line) };
    await trainRetriever.run(settings("stopped"), { ...context, reporter });
    expect(said.join("\n")).toMatch(/going on after step 1 of 2/);
    const hash = (name: string) => hashFile(at(`${name}/model.safetensors`));
    expect(await hash("stopped")).toBe(await hash("whole"));
    await trainRetriever.run(settings("alone", { distil_from: undefined }), context);
    expect(await hash("alone")).not.toBe(await hash("whole"));

    await writeJsonl(
      at("other.jsonl"),
      scores((question, place) => question + place),
    );
    await expect(trainRetriever.run(settings("changed"), { ...context, ...stopAfter(1) })).rejects.toThrow(
      /after step 1/,
    );
    said.length = 0;
    await trainRetriever.run(settings("changed", { distil_from: at("other.jsonl") }), { ...context, reporter });
    expect(said.join("\n")).toMatch(/other teacher's scores/);
  });

  it("says how many questions have no scores: the contrastive loss alone teaches them", async () => {
    await writeJsonl(at("fewer.jsonl"), scores((_, place) => place).slice(1));
    const said: string[] = [];
    const told: string[] = [];
    const reporter: Reporter = {
      ...silentReporter,
      warn: (line) => said.push(line),
      info: (line) => told.push(line),
    };
    await trainRetriever.run(settings("fewer", { max_steps: 1, distil_from: at("fewer.jsonl") }), {
      ...context,
      reporter,
    });
    expect(said).toEqual([
      expect.stringMatching(
        /fewer\.jsonl: 1 of 4 training questions have no scores, such as "What is feature number 0\?"/,
      ),
    ]);
  });

  it("says what is wrong with the scores before anything is written", async () => {
    const run = (more: Record<string, unknown>) => trainRetriever.run(settings("wrong", more), context);
    const file = async (rows: readonly unknown[]) => {
      await writeJsonl(at("bad.jsonl"), rows);
      return run({ distil_from: at("bad.jsonl") });
    };
    const good = scores((_, place) => place);
    const [first, ...others] = good as [PassageScores, ...PassageScores[]];
    await expect(run({ distil_from: at("nowhere.jsonl") })).rejects.toThrow(/nowhere\.jsonl: no such file \(scores of/);
    await expect(run({ distil_from: at("w_q.jsonl") })).rejects.toThrow(
      /w_q\.jsonl:1: not scores of passages.*run score-passages on it/,
    );
    const foreignQuestions = good.map((row) => ({ ...row, question: `${row.question} Really?` }));
    await expect(file(foreignQuestions)).rejects.toThrow(
      /none of the 4 training questions has scores, such as "What is feature number 0\?".*Run score-passages again/,
    );
    const nan = { ...first, passages: [{ id: "x", source: "", score: Number.NaN }] };
    await expect(file([...others, nan])).rejects.toThrow(/bad\.jsonl:4: not scores.*expected number/);
    const unknown = { ...first, passages: [...first.passages, { id: "feed", source: "gone.md", score: 1 }] };
    await expect(file([...others, unknown])).rejects.toThrow(
      /bad\.jsonl:4: a passage of gone\.md \(feed\) is not in the database.*another database/,
    );
    const goldless = { ...first, passages: first.passages.slice(1) };
    await expect(file([goldless, ...others])).rejects.toThrow(/bad\.jsonl:1: the gold passage of .* has no score/);
    const foreign = { ...first, scored_by: { ...first.scored_by, model: "another", hash: "g" } };
    await expect(file([...others, foreign])).rejects.toThrow(
      /bad\.jsonl:4: scored by another model \(reranker another\) than the first line \(reranker a-reranker\)/,
    );
    const alone = good.map((row) => ({ ...row, passages: row.passages.slice(0, 1) }));
    await expect(file(alone)).rejects.toThrow(/no question has a second passage.*--num_docs/);
    await expect(run({ distil_from: undefined, distil_teacher_temperature: 2 })).rejects.toThrow(
      /distil_teacher_temperature is for distillation, and no scores are named/,
    );
    expect(() => settings("wrong", { distil_weight: 0 })).toThrow();
    await writeFile(at("empty.jsonl"), "");
    await expect(run({ distil_from: at("empty.jsonl") })).rejects.toThrow(/empty\.jsonl: the file is empty/);
  });
});

describe("the loss with a teacher", () => {
  const vectors = Float32Array.from({ length: 6 * 3 }, (_, i) => Math.sin(i + 1));
  const how = { dimensions: 3, similarity: "cosine", temperature: 0.3 } as const;
  const lists = [
    { keys: [0, 2, 3], scores: [2, 1, -1] },
    { keys: [1, 3], scores: [0, 3] },
  ];
  const labels = [0, 1];

  it("is both losses by their shares, in value and gradients; the contrastive one does not see the further passages", async () => {
    const contrastive = await createContrastiveLoss(how);
    const taught = await createDistillationLoss({
      ...how,
      kind: "kl",
      studentTemperature: 0.3,
      teacherTemperature: 2,
    });
    const both = withDistillation(contrastive, taught, { weight: 0.25, dimensions: 3 });
    // Two queries, three contrasted passages, one further.
    const result = await both.runTogether(vectors, { labels, contrasted: 3, lists, scale: 0.5 });
    const one = await contrastive.runTogether(vectors.subarray(0, 15), { labels });
    const other = await taught.run({ queries: vectors.subarray(0, 6), keys: vectors.subarray(6), lists });
    expect(result.loss).toBeCloseTo(0.5 * (0.75 * one.loss + 0.25 * other.loss), 5);
    const expected = [...other.queryGradients, ...other.keyGradients].map(
      (value, i) => 0.5 * (0.25 * value + 0.75 * (one.gradients[i] ?? 0)),
    );
    expected.forEach((value, i) => {
      expect(result.gradients[i]).toBeCloseTo(value, 5);
    });
    expect(Math.max(...[...result.gradients.slice(15)].map(Math.abs))).toBeGreaterThan(1e-3);
    await both.close();
  });

  it("draws some of a question's passages, the gold one always and first, each text once", () => {
    const scored = [
      { passages: DOCUMENTS.slice(0, 4), scores: [10, 11, 12, 13] },
      { passages: DOCUMENTS.slice(1, 3), scores: [20, 21] },
    ];
    const contrasted = { passages: [DOCUMENTS[0], DOCUMENTS[1]] as Document[] };
    const all = drawLists(contrasted, scored, 9, createRandom(1));
    expect(all.further).toHaveLength(2);
    expect(all.lists[0]?.keys[0]).toBe(0);
    expect(new Set(all.lists[0]?.keys)).toEqual(new Set([0, 1, 2, 3]));
    const passages = [...contrasted.passages, ...all.further];
    all.lists[0]?.keys.forEach((key, i) => {
      expect(passages[key]).toBe(DOCUMENTS[(all.lists[0]?.scores[i] ?? 0) - 10]);
    });
    expect(all.lists[1]).toEqual({ keys: [1, all.further[0] === DOCUMENTS[2] ? 2 : 3], scores: [20, 21] });
    const two = (seed: number) => drawLists(contrasted, scored, 2, createRandom(seed)).lists[0]?.scores;
    expect(two(1)).toEqual(two(1));
    expect(new Set([1, 2, 3, 4, 5, 6, 7].map((seed) => two(seed)?.[1])).size).toBeGreaterThan(1);
    expect(two(3)?.[0]).toBe(10);
  });
});
