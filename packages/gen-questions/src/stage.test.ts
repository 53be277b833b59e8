import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDocument,
  type Document,
  documentId,
  readDocuments,
  readQuestions,
  type StageContext,
  silentReporter,
  writeJsonl,
} from "@rag-ft/core";
import { type ChatRequest, type OpenAiServer, type RawReply, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withoutLeaks } from "./remove-leaks.js";
import { genQuestionsSettings } from "./settings.js";
import { genQuestions } from "./stage.js";

let folder: string;
let server: OpenAiServer | undefined;
const warnings: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gen-questions-"));
  warnings.length = 0;
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** 12 sources of 4 passages; every passage has words of its own. */
function database(): Document[] {
  return Array.from({ length: 48 }, (_, i) => {
    const words = Array.from({ length: 40 }, (__, w) => `word${i}x${w}`).join(" ");
    return createDocument(`Marker m${i}. ${words}`, {
      source: `https://example.com/page-${i % 12}`,
      title: `Page ${i % 12}`,
    });
  });
}

const asked = (body: ChatRequest): string => /Marker (m\d+)\./.exec(body.messages.at(-1)?.content ?? "")?.[1] ?? "none";
const twoQuestions = (body: ChatRequest): string =>
  `Question 1: What is said of ${asked(body)} first?\nQuestion 2: Which second thing holds about ${asked(body)} seed ${body.seed}?`;

async function start(
  reply: (body: ChatRequest, index: number) => string | RawReply | Promise<string | RawReply>,
): Promise<void> {
  server = await startOpenAiServer({ reply });
}

async function run(save: string, extra: Record<string, unknown> = {}, signal = new AbortController().signal) {
  const documents = join(folder, "documents.jsonl");
  await writeJsonl(documents, database());
  const context: StageContext = {
    reporter: { ...silentReporter, warn: (message) => warnings.push(message) },
    signal,
    env: { OPENAI_BASE_URL: server?.url, OPENAI_API_KEY: "sk-test-123456789" },
  };
  const settings = genQuestionsSettings.parse({
    document_path: documents,
    prompt_model: "gpt-test",
    num_train_data: "20",
    num_eval_test_data: "12",
    save_dir: join(folder, save),
    ...extra,
  });
  return genQuestions.run(settings, context);
}

const FILES = ["train_w_q", "eval_w_q", "test_w_q", "nontrain_w_q", "eval_documents", "test_documents"];
const contents = (save: string): Promise<string[]> =>
  Promise.all(FILES.map((name) => readFile(join(folder, save, `${name}.jsonl`), "utf8")));

describe("gen-questions", () => {
  it("makes the reference's files: held-out first, halves apart, negatives of the same source", async () => {
    await start(twoQuestions);
    const result = await run("out");
    const read = (name: string) => readQuestions(join(folder, "out", `${name}.jsonl`));
    const [train, evaluation, test, nontrain] = await Promise.all(
      ["train_w_q", "eval_w_q", "test_w_q", "nontrain_w_q"].map(read),
    );
    expect([train?.length, evaluation?.length, test?.length, nontrain?.length]).toEqual([10, 3, 3, 6]);
    const ids = (rows = evaluation) => (rows ?? []).flatMap((row) => row.gold_docs.map(documentId));
    expect(ids(nontrain)).toEqual([...ids(evaluation), ...ids(test)]);
    for (const row of [...(train ?? []), ...(nontrain ?? [])]) {
      expect(row.hard_neg_docs).toHaveLength(2);
      expect(row.prompt_model).toBe("gpt-test");
      for (const negative of row.hard_neg_docs) {
        expect(negative.metadata.source).toBe(row.gold_docs[0]?.metadata.source);
        expect(documentId(negative)).not.toBe(ids([row])[0]);
      }
    }
    const small = await readDocuments(join(folder, "out", "eval_documents.jsonl"));
    expect(new Set(small.map(documentId)).size).toBe(small.length);
    expect(small.map(documentId)).toEqual(expect.arrayContaining(ids(evaluation)));
    expect(result.figures?.train_questions).toBeGreaterThanOrEqual(10);
    // Not one request more than a loop would have sent: 6 held-out passages and 10 for training, none failed.
    expect(server?.requests).toHaveLength(16);
  });

  it("training asks about no held-out passage, and every passage is counted with what became of it", async () => {
    await start((body) => (Number(asked(body).slice(1)) % 3 === 0 ? "None." : twoQuestions(body)));
    const { summary, record } = await run("out", { num_train_data: 90 });
    const goldOf = async (name: string) =>
      (await readQuestions(join(folder, "out", `${name}.jsonl`))).flatMap((row) => row.gold_docs.map(documentId));
    const [train, held] = await Promise.all([goldOf("train_w_q"), goldOf("nontrain_w_q")]);
    expect(train?.filter((id) => held?.includes(id))).toEqual([]);
    // 32 of 48 passages have questions, 6 of them are held out.
    expect(train).toHaveLength(26);
    const why =
      "all 42 passages that may be asked about were; 16 gave no usable question; 6 are kept for the other sets";
    expect(summary).toContain(`training: 90 questions wanted, 52 made from 26 passages: ${why}`);
    expect(warnings.join()).toContain(why);
    expect(record?.split_by).toBe("passage");
    const counts = record?.passages as Record<string, { passages: Record<string, number> }>;
    for (const set of ["held-out", "training"]) {
      const all = Object.values(counts[set]?.passages ?? {});
      expect(
        all.reduce((sum, count) => sum + count, 0),
        set,
      ).toBe(48);
    }
    expect(counts.training?.passages).toMatchObject({
      "asked, without a usable question": 16,
      "kept for the other sets": 6,
    });
  });

  it("removes training questions that repeat a held-out one of the passage", async () => {
    const everything = { num_eval_test_data: 96 - 2, num_train_data: 96, split_by: "question" };
    // Question 1 is the same both times; question 2 has other words for the second sample.
    await start((body) =>
      body.seed === 0
        ? `Question 1: What is said of ${asked(body)} first?`
        : `Question 1: What is said of ${asked(body)} first?\nQuestion 2: Which colours suit a rainy ${asked(body)} afternoon?`,
    );
    await run("out", everything);
    const train = await readQuestions(join(folder, "out", "train_w_q.jsonl"));
    const held = new Set(
      (await readQuestions(join(folder, "out", "nontrain_w_q.jsonl"))).flatMap((row) => row.gold_docs.map(documentId)),
    );
    expect(held.size).toBe(47);
    expect(train).toHaveLength(48);
    for (const row of train)
      expect(row.questions).toHaveLength(row.gold_docs.map(documentId).some((id) => held.has(id)) ? 1 : 2);
    expect(withoutLeaks(["a b c d?"], ["a b x y?"])).toEqual([]);
    expect(withoutLeaks(["a b c d e?"], ["a b x y z?"])).toEqual(["a b c d e?"]);
  });

  it("gives the same bytes for the same seed, at any concurrency and in parts; other bytes for another seed", async () => {
    let delay = 0;
    await start(async (body) => {
      delay = (delay * 7 + 3) % 11;
      await new Promise((resolve) => setTimeout(resolve, delay));
      // Every third passage has no question.
      return Number(asked(body).slice(1)) % 3 === 0 ? "I cannot think of any." : twoQuestions(body);
    });
    await run("one", { max_concurrency: 1 });
    await run("many", { max_concurrency: 7 });
    expect(await contents("many")).toEqual(await contents("one"));
    for (const mode of ["init_eval_dset", "create_eval_dset", "create_train_dset"]) await run("parts", { mode });
    expect(await contents("parts")).toEqual(await contents("one"));
    await run("other", { seed: 1 });
    expect(await contents("other")).not.toEqual(await contents("one"));
  });

  it("does not pay twice: a stopped run goes on from its store", async () => {
    const whole = new AbortController();
    const part = new AbortController();
    await start((body, index) => {
      if (index === 7) part.abort();
      return twoQuestions(body);
    });
    await expect(run("out", { max_concurrency: 2 }, part.signal)).rejects.toThrow(/Stopped/);
    const store = join(folder, "out", "completions.jsonl");
    const stored = (await readFile(store, "utf8")).split("\n").length - 1;
    expect(stored).toBeGreaterThanOrEqual(5);
    // A kill can leave half a line.
    await writeFile(store, `${await readFile(store, "utf8")}{"key":"abc","te`);
    const before = server?.requests.length ?? 0;
    const result = await run("out", {}, whole.signal);
    expect(result.figures?.requests_from_store).toBe(stored);
    expect((server?.requests.length ?? 0) - before).toBe(16 - stored);
    await run("fresh");
    expect(await contents("out")).toEqual(await contents("fresh"));
  });

  it("tries again after a 500, counts replies without a question and says so", async () => {
    let failed = false;
    await start((body) => {
      if (!failed) {
        failed = true;
        return { status: 500, body: { error: { message: "overloaded" } }, headers: { "retry-after-ms": "5" } };
      }
      return Number(asked(body).slice(1)) % 2 === 0 ? "No idea." : twoQuestions(body);
    });
    const result = await run("out");
    expect(result.figures?.requests_failed_or_unusable).toBeGreaterThan(0);
    expect(result.summary).toContain(`${result.figures?.requests_failed_or_unusable} × reply without a question`);
    expect(result.figures?.train_questions).toBe(20);
  });

  it("warns when the numbers cannot be reached, and fails when nothing came", async () => {
    await start(twoQuestions);
    await run("out", { num_train_data: 500 });
    expect(warnings.join("\n")).toMatch(/training: \d+ of the 250 passages asked for/);
    const kept = await contents("out");
    await server?.close();
    await start(() => "Sorry.");
    await expect(run("out", { seed: 5 })).rejects.toThrow(/None of 48 passages.*[\s\S]*48 × reply without a question/);
    expect(await contents("out")).toEqual(kept);
  });

  it("changes no file when only the training part fails: old training data and new held-out data would leak", async () => {
    await start(twoQuestions);
    await run("out");
    const path = join(folder, "out", "gold_and_hard_negs.jsonl");
    const kept = [...(await contents("out")), await readFile(path, "utf8")];
    await server?.close();
    const trainSeed = 6;
    await start((body) => (body.seed === trainSeed ? "Sorry." : twoQuestions(body)));
    await expect(run("out", { seed: trainSeed - 1, split_by: "question" })).rejects.toThrow(
      /None of 48 passages gave a usable training question\.\n/,
    );
    await expect(run("out", { seed: trainSeed - 1 })).rejects.toThrow(
      /None of 42 passages .* 6 other passages are kept apart .*--num_eval_test_data/,
    );
    expect(server?.requests.length).toBeGreaterThan(48);
    expect([...(await contents("out")), await readFile(path, "utf8")]).toEqual(kept);
  });

  it("stops at once on a wrong key, with what to do and without the key", async () => {
    server = await startOpenAiServer({ reply: twoQuestions, apiKey: "sk-right-987654321" });
    const error = await run("out").catch((caught: Error) => caught);
    expect(String(error)).toMatch(/OPENAI_API_KEY/);
    expect(String(error)).not.toContain("sk-test-123456789");
    expect(server.requests.length).toBeLessThanOrEqual(8);
  });

  it("labels every row of the extractive rules", async () => {
    const text = (i: number) =>
      `# Tool ${i}\n\nTool${i} is a library that keeps values in file number ${i}.\n\nTo clear cache number ${i}, call the purge function of tool ${i} with its name and wait. More ${Array.from({ length: 30 }, (_, w) => `w${i}x${w}`).join(" ")}.`;
    await writeJsonl(
      join(folder, "prose.jsonl"),
      Array.from({ length: 30 }, (_, i) =>
        createDocument(text(i), { source: `https://example.com/${i % 5}`, title: `Guide ${i}` }),
      ),
    );
    await run("out", { document_path: join(folder, "prose.jsonl"), prompt_model: "extractive", num_eval_test_data: 8 });
    const rows = await readQuestions(join(folder, "out", "train_w_q.jsonl"));
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row.generator).toBe("extractive");
  });
});
