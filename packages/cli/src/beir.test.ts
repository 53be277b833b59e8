import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toJsonl } from "@rag-ft/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { main } from "./app.js";
import { createMemoryIo } from "./testing/memory-io.js";

const CORPUS = [
  { _id: "d1", title: "Apples", text: "A red apple is sweet." },
  { _id: "d2", title: "", text: "A green apple is sour, a red apple is not." },
  { _id: "d3", title: "Sky", text: "The sky is blue." },
  { _id: "d4", title: "", text: "" },
  { _id: "d5", title: "Roses", text: "A rose is pink or red.", metadata: { url: "https://docs.test/roses" } },
];
const QUERIES = [
  { _id: "7", text: "red apple" },
  { _id: "8", text: "blue sky" },
  { _id: "9", text: "asked of nobody" },
];
const QRELS = "query-id\tcorpus-id\tscore\n7\td2\t1\n7\td1\t2\n7\td5\t0\n8\td3\t1\n9\td1\t0\n";

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
const read = (...names: string[]): Promise<string> => readFile(at(...names), "utf8");
const json = async (...names: string[]): Promise<Record<string, never>> => JSON.parse(await read(...names));
const rows = async (...names: string[]): Promise<Record<string, never>[]> =>
  (await read(...names))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

async function rag(...argv: string[]) {
  const io = createMemoryIo();
  return { code: await main(argv, io), out: io.stdout, err: io.stderr };
}
const beirIn = (): ReturnType<typeof rag> => rag("beir", "in", at("set"), "--save_dir", at("own"));
const test = (...more: string[]): ReturnType<typeof rag> => {
  const files = ["--document_path", at("own/documents.jsonl"), "--eval_data_path", at("own/test_w_q.jsonl")];
  return rag("test-retriever", ...files, "--output_dir", at("test"), "--retrieval", "bm25", "--ks", "1,2", ...more);
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-beir-"));
  await mkdir(at("set", "qrels"), { recursive: true });
  await writeFile(at("set", "corpus.jsonl"), toJsonl(CORPUS));
  await writeFile(at("set", "queries.jsonl"), toJsonl(QUERIES));
  await writeFile(at("set", "qrels", "test.tsv"), QRELS);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("a BEIR set is a database and questions with graded gold passages, and what is judged irrelevant a hard negative", async () => {
  expect((await beirIn()).code).toBe(0);
  const documents = await rows("own", "documents.jsonl");
  expect(documents).toHaveLength(4);
  expect(documents[0]).toMatchObject({ page_content: CORPUS[0]?.text, fmt_content: "Apples A red apple is sweet." });
  expect(documents[3]).toMatchObject({
    metadata: { source: "d5", id: "d5", title: "Roses", url: "https://docs.test/roses" },
  });
  const [apple, sky, ...others] = await rows("own", "test_w_q.jsonl");
  expect(others).toEqual([]);
  expect(apple).toMatchObject({
    ...{ questions: ["red apple"], query_id: "7", gold_relevance: [2, 1] },
    gold_docs: [{ metadata: { id: "d1" } }, { metadata: { id: "d2" } }],
    hard_neg_docs: [{ metadata: { id: "d5" } }],
  });
  expect(sky).toMatchObject({ query_id: "8", gold_relevance: [1] });
});

it("test-retriever measures it by grades, and writes a run that is scored the same when it comes back", async () => {
  await beirIn();
  expect(await test("--trec")).toMatchObject({ code: 0 });
  const found = (await read("test", "BM25", "run.trec"))
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  // Best first for each question: the grade of 1 before that of 2, so that the gain is (1 + 2 / log2 3) of (2 + 1 / log2 3).
  expect(found.filter(([query]) => query === "7").map(([, , passage, rank]) => [passage, rank])).toEqual([
    ["d2", "1"],
    ["d1", "2"],
    ["d5", "3"],
  ]);
  expect(await read("test", "qrels.trec")).toBe("7 0 d1 2\n7 0 d2 1\n8 0 d3 1\n");
  const [first] = await rows("test", "BM25", "retrieval-results.jsonl");
  const expected = (1 + 2 / Math.log2(3)) / (2 + 1 / Math.log2(3));
  expect((first as { figures?: Record<string, number> }).figures?.["test_retr/ndcg/ndcg2"]).toBeCloseTo(expected, 12);
  expect(expected).toBeLessThan(0.9);
  const theirs = at("other-system.run");
  await writeFile(theirs, await read("test", "BM25", "run.trec"));
  expect(await test("--trec_runs", theirs)).toMatchObject({ code: 0, out: expect.stringContaining("other-system") });
  const { systems } = (await json("test", "score.json")) as unknown as {
    systems: { label: string; figures: object }[];
  };
  expect(systems.map(({ label }) => label)).toEqual(["BM25", "other-system"]);
  expect(systems[1]?.figures).toEqual(systems[0]?.figures);
  // In the reverse order by score, whatever the column of ranks says.
  await writeFile(theirs, "7 Q0 d5 1 1 x\n7 Q0 d2 2 5 x\n");
  await test("--trec_runs", theirs);
  const [other] = await rows("test", "other-system", "retrieval-results.jsonl");
  expect(other).toMatchObject({ gold_ranks: [null, 1], retrieval_scores: [5, 1] });
});

it("goes out as it came in", async () => {
  await beirIn();
  const out = ["--document_path", at("own/documents.jsonl"), "--eval_data_path", at("own/test_w_q.jsonl")];
  expect((await rag("beir", "out", at("again"), ...out)).code).toBe(0);
  expect(await read("again", "qrels", "test.tsv")).toBe("query-id\tcorpus-id\tscore\n7\td1\t2\n7\td2\t1\n8\td3\t1\n");
  expect(await rows("again", "queries.jsonl")).toEqual(QUERIES.slice(0, 2));
  expect((await rows("again", "corpus.jsonl")).map(({ _id, title, text }) => ({ _id, title, text }))).toEqual(
    CORPUS.filter(({ text }) => text !== "").map(({ _id, title, text }) => ({ _id, title, text })),
  );
  await rag("beir", "in", at("again"), "--save_dir", at("own2"));
  expect(await read("own2", "test_w_q.jsonl")).toContain('"gold_relevance":[2,1]');
});

it.each([
  [
    "qrels/test.tsv",
    "query-id\tcorpus-id\tscore\n7\td2\thigh\n",
    3,
    /test\.tsv:2: found "7\\td2\\thigh", expected query-id, corpus-id and score/,
  ],
  ["qrels/test.tsv", "7\td2\t2\n7\td2\t1\n", 3, /test\.tsv:2: 7 and d2 have score 1 here and 2 before/],
  ["qrels/test.tsv", "7\td1\t1e0\n7\td2\t1\n", 3, /test\.tsv:1: found "7\\td1\\t1e0", expected/],
  ["qrels/test.tsv", "7\tx\t1\n", 3, /no question of test has both a text and a gold passage/],
  ["corpus.jsonl", '{"_id":"a","text":"b"}\n{"_id":"a","text":"c"}\n', 3, /corpus\.jsonl:2: the id a stands twice/],
  ["queries.jsonl", "[]\n", 3, /queries\.jsonl:1: not questions of BEIR/],
])("%s that is malformed is one sentence", async (file, text, code, message) => {
  await writeFile(at("set", file), text);
  expect(await beirIn()).toMatchObject({ code, err: expect.stringMatching(message) });
});

it.each([
  ["7 Q0 d2 1 x\n", /other\.run:1: found "7 Q0 d2 1 x", expected six columns/],
  ["1 Q0 d2 1 2 x\n", /has none of the questions, which are called 7, 8, …; the run's are 1/],
  ["7 Q0 d2 1 nan x\n", /other\.run:1: .*the score a number/],
  ["7 Q0 d2 1 0x10 x\n", /other\.run:1: .*the score a number/],
  ["7 Q0 d99 1 2 x\n", /the passage d99 is not in the database/],
])("a run that does not fit is one sentence", async (text, message) => {
  await beirIn();
  await writeFile(at("other.run"), text);
  expect(await test("--trec_runs", at("other.run"))).toMatchObject({ code: 3, err: expect.stringMatching(message) });
});

it("a question's id that stands twice is refused: nobody knows of which text its judgements are", async () => {
  await writeFile(at("set", "queries.jsonl"), toJsonl([...QUERIES, { _id: "7", text: "another text" }]));
  expect(await beirIn()).toMatchObject({
    code: 3,
    err: expect.stringMatching(/queries\.jsonl:4: the id 7 stands twice/),
  });
});

it("passages that share the id of their text, and ids that no column can hold, go by names of our own", async () => {
  const passage = (page_content: string, id: string, seq_num: number) => ({
    ...{ page_content, fmt_content: page_content },
    metadata: { source: "long.md", id, seq_num },
  });
  const documents = [
    passage("A red apple is sweet.", "text", 1),
    passage("A green apple is sour.", "text", 2),
    passage("The sky is blue.", "d 3", 1),
  ];
  const question = (text: string, query_id: string, gold: unknown) => ({
    ...{ questions: [text], query_id, chat_history: [], gold_docs: [gold], hard_neg_docs: [] },
  });
  await mkdir(at("own"));
  await writeFile(at("own/documents.jsonl"), toJsonl(documents));
  const questions = [question("green apple", "q 1", documents[1]), question("blue sky", "2", documents[2])];
  await writeFile(at("own/test_w_q.jsonl"), toJsonl(questions));

  expect(await test("--trec")).toMatchObject({ code: 0 });
  const lines = `${await read("test", "BM25", "run.trec")}${await read("test", "qrels.trec")}`.trim().split("\n");
  expect(new Set(lines.map((line) => line.split(" ").length))).toEqual(new Set([4, 6]));
  const judged = (await read("test", "qrels.trec")).split("\n").map((line) => line.split(" "));
  expect(judged.map(([query]) => query)).toEqual(["q1", "2", ""]);
  await writeFile(at("own.run"), await read("test", "BM25", "run.trec"));
  expect(await test("--trec_runs", at("own.run"))).toMatchObject({ code: 0 });
  const { systems } = (await json("test", "score.json")) as unknown as {
    systems: { label: string; figures: object }[];
  };
  expect(systems.map(({ label }) => label)).toEqual(["BM25", "own"]);
  expect(systems[1]?.figures).toEqual(systems[0]?.figures);

  const files = ["--document_path", at("own/documents.jsonl"), "--eval_data_path", at("own/test_w_q.jsonl")];
  expect(await rag("beir", "out", at("out"), ...files)).toMatchObject({ code: 0 });
  const ids = (await rows("out", "corpus.jsonl")).map(({ _id }) => _id);
  expect(new Set(ids).size).toBe(3);
  expect(ids[2]).toBe("d 3");
  expect(await rag("beir", "in", at("out"), "--save_dir", at("back"))).toMatchObject({ code: 0 });
});
