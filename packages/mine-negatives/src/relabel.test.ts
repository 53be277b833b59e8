import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, documentId, readQuestions, silentReporter, writeJsonl } from "@rag-ft/core";
import { type OpenAiServer, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { mineNegatives, mineNegativesSettings } from "./index.js";
import { rerankerJudge } from "./judges.js";
import { type Relevance, relabelNegatives } from "./relabel.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const RERANKER = fileURLToPath(new URL("../../models/src/fixtures/st-bert", import.meta.url));
const { signal } = new AbortController();
const context = { reporter: silentReporter, signal };

let folder: string;
let server: OpenAiServer | undefined;
const at = (...names: string[]): string => join(folder, ...names);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "relabel-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

const THINGS = "proxy cache retry timeout header cookie stream buffer socket cluster worker signal".split(" ");
const documents = THINGS.map((thing, i) =>
  createDocument(`The ${thing} option number ${i} sets how the ${thing} of a request is used by the ${thing} pool.`, {
    source: `docs/${thing}`,
  }),
);
const rows = documents.slice(0, 4).map((gold, i) => ({
  gold_docs: [gold],
  hard_neg_docs: [],
  chat_history: [],
  questions: [`What does the ${THINGS[i]} option do?`, `How is a ${THINGS[i]} set?`],
}));

async function run(more: Record<string, unknown> = {}) {
  await writeJsonl(at("documents.jsonl"), documents);
  for (const split of ["train", "test"]) await writeJsonl(at(`${split}_w_q.jsonl`), rows);
  const settings = mineNegativesSettings.parse({
    document_path: at("documents.jsonl"),
    embedding_model: ENCODER,
    negative_margin: 1,
    dataset_w_q: folder,
    save_dir: at("mined"),
    ...more,
  });
  const whole = { ...context, env: { OPENAI_BASE_URL: server?.url } };
  const plan = await mineNegatives.plan?.(settings, { ...whole, planned: new Map() });
  return { plan, ...(await mineNegatives.run(settings, whole)) };
}

it("an LLM takes out what answers a question, others take its place; in files of training it is a positive, and nothing is asked twice", async () => {
  server = await startOpenAiServer({
    reply: ({ messages }) => {
      const asked = messages.at(-1)?.content ?? "";
      if (/The socket option/.test(asked)) return "Perhaps.";
      return /How is a proxy set/.test(asked) && /The (cache|retry|timeout|header) option/.test(asked) ? "Yes" : "no";
    },
  });
  const judged = { relabel_with: "gpt-judge" };
  const { figures = {}, summary, outputs, plan } = await run(judged);
  // Two files of four rows, of each two questions and two negatives.
  expect(plan?.requests).toMatchObject([{ purpose: "verdicts", model: "gpt-judge", requests: 2 * 4 * 2 * 2 }]);
  const [train, test] = await Promise.all(
    ["train", "test"].map((split) => readQuestions(at("mined", `${split}_w_q.jsonl`))),
  );
  const answers = new Set(documents.slice(1, 5).map(documentId));
  for (const split of [train, test]) {
    for (const row of split?.slice(0, 4) ?? []) expect(row.hard_neg_docs).toHaveLength(2);
    const proxy = split?.[0]?.hard_neg_docs.map(documentId) ?? [];
    expect(proxy.filter((id) => answers.has(id))).toEqual([]);
  }
  const added = train?.slice(4) ?? [];
  expect(added.length).toBeGreaterThan(0);
  for (const row of added) {
    expect(row.questions).toEqual(["How is a proxy set?"]);
    expect(answers.has(documentId(row.gold_docs[0] as (typeof documents)[0]))).toBe(true);
    expect(row.relabeled).toEqual({ by: "gpt-judge", instead_of: [documentId(documents[0] as (typeof documents)[0])] });
  }
  expect(test).toHaveLength(4);
  expect(figures.new_positives).toBe(added.length);
  expect(figures.negatives).toBe(16 + added.length * 2);
  const audit = (await readFile(at("mined", "relabeled.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(audit).toHaveLength(figures.false_negatives ?? 0);
  expect(audit.filter(({ file }) => file === "train_w_q.jsonl").flatMap(({ answers: of }) => of)).toHaveLength(
    added.length,
  );
  // Without a verdict a passage is safe for neither.
  const unsure = audit.filter(({ source }) => source === "docs/socket");
  expect(unsure.every(({ answers: of }) => of.length === 0)).toBe(true);
  expect(summary).toMatch(/looked at again +false negatives +new positives +rows changed/);
  expect(summary).toContain("negatives that were looked at again are none");
  expect(outputs).toContain(at("mined", "relabeled.jsonl"));

  const sent = server.requests.length;
  const before = await readFile(at("mined", "train_w_q.jsonl"), "utf8");
  await run(judged);
  expect(server.requests).toHaveLength(sent);
  expect(await readFile(at("mined", "train_w_q.jsonl"), "utf8")).toBe(before);
  // Without a judge the negatives are those that were drawn, and no audit is left.
  await run();
  await expect(stat(at("mined", "relabeled.jsonl"))).rejects.toThrow();
});

it("a reranker compares each passage with the gold one, for each question", async () => {
  const [gold, same, near, far] = ["gold", "same", "near", "far"].map((name) => createDocument(name, { source: name }));
  const logits: Record<string, number> = { gold: 2, same: 2.5, near: 1.5, far: 0 };
  const asked: string[] = [];
  const judge = rerankerJudge(
    {
      logits: async (pairs) => {
        asked.push(...pairs.map(([question]) => question));
        return Float32Array.from(
          pairs,
          ([question, text]) => (logits[text.split("\n").at(-1) ?? ""] ?? 0) - (question === "other?" ? 5 : 0),
        );
      },
      score: () => Promise.reject(new Error("scores are of no use here")),
      close: async () => {},
    },
    "reranker",
    signal,
  );
  const row = { gold_docs: [gold], hard_neg_docs: [], chat_history: [], questions: ["one?", "other?"] } as Parameters<
    typeof judge.judge
  >[0];
  const of = async (passage: typeof same): Promise<Relevance[]> =>
    judge.judge(row, passage as NonNullable<typeof same>);
  // Only the difference from the gold passage counts, not where a question's logits lie.
  expect([await of(same), await of(near), await of(far)]).toEqual([
    ["positive", "positive"],
    ["unsure", "unsure"],
    ["negative", "negative"],
  ]);
  expect(asked).toHaveLength(2 * 4);
  const result = await relabelNegatives(
    [{ ...row, hard_neg_docs: [same, near, far] as typeof row.hard_neg_docs }],
    judge,
    {
      ...{ file: "train_w_q.jsonl", count: 2, addsPositives: true },
      ...context,
    },
  );
  expect(result.counts).toEqual({ judged: 3, false_negatives: 2, new_positives: 1, rows_changed: 1, short: 1 });
  expect(result.rows.map(({ gold_docs, hard_neg_docs }) => [gold_docs, hard_neg_docs])).toEqual([
    [[gold], [far]],
    [[same], [far]],
  ]);
});

it("a folder is a reranker, and costs no request; rules can judge nothing", async () => {
  const { figures = {}, plan } = await run({ relabel_with: RERANKER });
  expect(plan?.requests).toEqual([]);
  expect(figures.judged).toBeGreaterThanOrEqual(16);
  await expect(run({ relabel_with: "extractive" })).rejects.toThrow(/rules cannot say whether a passage answers/);
});
