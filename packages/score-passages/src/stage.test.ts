import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, documentId, hashFile, type Reporter, silentReporter, writeJsonl } from "@rag-ft/core";
import { openScorer } from "@rag-ft/models";
import { readPassageScores, teacherScoresOf } from "@rag-ft/retrieval";
import { stopAfter } from "@rag-ft/test-utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scorePassages } from "./index.js";

const RERANKER = fileURLToPath(new URL("../../models/src/fixtures/st-bert", import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const TOPICS = ["timeout", "retries", "proxy", "cookies", "streaming", "headers"];
const DOCUMENTS = TOPICS.map((topic) =>
  createDocument(`The option called ${topic} sets what ${topic} does.`, { source: `${topic}.md`, title: topic }),
);

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-scores-"));
  await writeJsonl(at("documents.jsonl"), DOCUMENTS);
  const row = (i: number, questions: string[]) => ({
    gold_docs: [DOCUMENTS[i]],
    hard_neg_docs: [DOCUMENTS[(i + 1) % 6], DOCUMENTS[i]],
    chat_history: [],
    questions,
  });
  await writeJsonl(at("train_w_q.jsonl"), [
    ...TOPICS.map((topic, i) => row(i, [`What does ${topic} do?`])),
    // Asked of another passage, too.
    row(5, ["what does timeout do"]),
  ]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const settings = (output: string, more: Record<string, unknown> = {}) =>
  scorePassages.settings.parse({
    question_files: at("train_w_q.jsonl"),
    document_path: at("documents.jsonl"),
    output_file: at(output),
    reranker: RERANKER,
    retrieval: "bm25",
    num_docs: 4,
    ...more,
  });

const said: string[] = [];
const saying: Reporter = { ...silentReporter, info: (line) => said.push(line), warn: (line) => said.push(line) };

describe("score-passages with a reranker", () => {
  it("keeps its logits of gold passages and of what the search finds, which train-retriever can read", async () => {
    const { figures, record, summary } = await scorePassages.run(settings("scores.jsonl"), context);
    const rows = (await readPassageScores(at("scores.jsonl"))).map((numbered) => numbered.row);
    // Two spellings of one question are two lines, with the gold passages of both.
    expect(rows.map(({ question }) => question)).toEqual([
      ...TOPICS.map((topic) => `What does ${topic} do?`),
      "what does timeout do",
    ]);
    const ids = (row: number) => rows[row]?.passages.map(({ id }) => id);
    const [timeout, headers] = [DOCUMENTS[0], DOCUMENTS[5]].map((one) => documentId(one as (typeof DOCUMENTS)[0]));
    expect(ids(0)?.slice(0, 2)).toEqual([timeout, headers]);
    expect(ids(6)?.slice(0, 2)).toEqual([headers, timeout]);
    expect(
      rows.every(({ passages }) => passages.length === 4 && new Set(passages.map(({ id }) => id)).size === 4),
    ).toBe(true);
    const scorer = await openScorer(RERANKER, { ...context, truncation: "only_second" });
    const [logit] = await scorer.logits([["What does proxy do?", DOCUMENTS[2]?.fmt_content ?? ""]]);
    await scorer.close();
    expect(rows[2]?.passages[0]?.score).toBeCloseTo(logit as number, 5);
    expect(figures).toMatchObject({ questions: 7, passages: 28, kept: 0 });
    expect(figures?.gold_is_best).toBe(
      rows.filter(({ passages }) => Math.max(...passages.map(({ score }) => score)) === passages[0]?.score).length / 7,
    );
    expect(record).toEqual({ scored_by: rows[0]?.scored_by });
    expect(summary).toContain(`--distil_from ${at("scores.jsonl")}`);
    expect(await readdir(folder)).not.toContain("scores.jsonl.partial");

    const { teacher, lists } = await teacherScoresOf(
      at("scores.jsonl"),
      [{ question: "what does timeout do", gold_docs: [DOCUMENTS[0] as (typeof DOCUMENTS)[0]], hard_neg_docs: [] }],
      DOCUMENTS,
    );
    expect(teacher).toMatchObject({ kind: "reranker", model: RERANKER });
    // The example's own gold passage first.
    expect(lists[0]?.passages[0]).toEqual(DOCUMENTS[0]);
    expect(lists[0]?.scores[0]).toBe(rows[6]?.passages[1]?.score);
  });

  it("stopped, killed in the middle of a line and started again: the same file, nothing scored twice", async () => {
    await expect(
      scorePassages.run(settings("stopped.jsonl"), { ...context, ...stopAfter(3, "scoring") }),
    ).rejects.toThrow();
    expect(await readPassageScores(at("stopped.jsonl.partial"))).toHaveLength(3);
    await appendFile(at("stopped.jsonl.partial"), '{"version":1,"quest');
    const from: number[] = [];
    const reporter: Reporter = {
      ...silentReporter,
      start: (label, _, done = 0) => {
        if (label === "scoring") from.push(done);
        return { update() {}, stop() {} };
      },
    };
    const { figures } = await scorePassages.run(settings("stopped.jsonl"), { ...context, reporter });
    expect(from).toEqual([3]);
    expect(figures?.kept).toBe(3);
    expect(await hashFile(at("stopped.jsonl"))).toBe(await hashFile(at("scores.jsonl")));
  });

  it("scores anew what has changed, and only that: a passage, or the model", async () => {
    const again = async (more: Record<string, unknown>) => {
      said.length = 0;
      return (await scorePassages.run(settings("scores.jsonl", more), { ...context, reporter: saying })).figures?.kept;
    };
    const before = await hashFile(at("scores.jsonl"));
    expect(await again({})).toBe(7);
    expect(await hashFile(at("scores.jsonl"))).toBe(before);
    expect(said.at(-1)).toMatch(/scores of 7 of 7 questions are there already$/);
    // The text of a passage is the same, its title another: the model reads that, too.
    const renamed = createDocument(DOCUMENTS[3]?.page_content ?? "", { source: "cookies.md", title: "Cookies, new" });
    await writeJsonl(at("renamed.jsonl"), [...DOCUMENTS.slice(0, 3), renamed, ...DOCUMENTS.slice(4)]);
    const kept = await again({ document_path: at("renamed.jsonl") });
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(7);
    expect(said.at(-1)).toMatch(/others were of another model, question or passage/);
    expect(await again({ max_seq_length: 20 })).toBe(0);
  });

  it("takes the rows' own hard negatives without a search", async () => {
    await scorePassages.run(settings("rows.jsonl", { candidates: "rows", retrieval: "dense" }), context);
    const rows = (await readPassageScores(at("rows.jsonl"))).map((numbered) => numbered.row);
    expect(rows[1]?.passages.map(({ source }) => source)).toEqual(["retries.md", "proxy.md"]);
    expect(rows[0]?.passages.map(({ source }) => source)).toEqual(["timeout.md", "headers.md", "retries.md"]);
  });

  it("says what is wrong before it scores, and writes over no file of another kind", async () => {
    const run = (more: Record<string, unknown>, output = "wrong.jsonl") =>
      scorePassages.run(settings(output, more), context);
    await expect(run({ reranker: undefined })).rejects.toThrow(
      /expected one model that scores, none is named: give --reranker or --qa_model_name_or_path/,
    );
    await expect(run({ qa_model_name_or_path: "decoder" })).rejects.toThrow(/two are named/);
    await expect(run({ retrieval: "hybrid" })).rejects.toThrow(/embedding_model missing: .* --candidates rows/);
    await expect(run({ question_files: at("nowhere.jsonl") })).rejects.toThrow(/nowhere\.jsonl: no such file/);
    await expect(run({ document_path: at("train_w_q.jsonl") })).rejects.toThrow(/file of questions/);
    const questions = await hashFile(at("train_w_q.jsonl"));
    await expect(run({}, "train_w_q.jsonl")).rejects.toThrow(/train_w_q\.jsonl:1: not scores of passages/);
    expect(await hashFile(at("train_w_q.jsonl"))).toBe(questions);
    await writeFile(at("file"), "");
    await expect(scorePassages.check?.(settings("file/scores.jsonl"))).rejects.toThrow(/is a file, where a folder/);
    expect(await readFile(at("file"), "utf8")).toBe("");
    expect(await readdir(folder)).not.toContain("wrong.jsonl");
  });
});
