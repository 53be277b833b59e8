import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, silentReporter, UserError, withFolderLock, writeJsonl } from "@rag-ft/core";
import { parseHTML } from "linkedom";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { histogram, rankCounts } from "./figures/distributions.js";
import { recallCurve } from "./figures/recall-curve.js";
import { report } from "./index.js";
import { readRun } from "./read/read-run.js";
import { bestEvaluation } from "./read/training.js";
import { HOSTILE, writeSmallRun } from "./testing/write-run.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-html-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const settings = (more: object = {}) => report.settings.parse({ run_dir: folder, ...more });

async function page(): Promise<string> {
  await report.run(settings(), context);
  return readFile(join(folder, "report.html"), "utf8");
}

describe("readRun", () => {
  it("is not written while another process writes to its folder", async () => {
    await writeSmallRun(folder);
    await withFolderLock(folder, () => expect(report.run(settings(), context)).rejects.toThrow(/in use by process/));
  });

  it("finds base and tuned, by label, by folder, or by order", async () => {
    await writeSmallRun(folder);
    expect(await readRun(settings())).toMatchObject({ base: { label: "base" }, tuned: { label: "fine-tuned" } });
    const swapped = await readRun(settings({ base: "fine-tuned", tuned: join(folder, "test-0") }));
    expect(swapped).toMatchObject({ base: { label: "fine-tuned" }, tuned: { label: "base" } });
    await expect(readRun(settings({ base: "bsae" }))).rejects.toThrow(/no test is called "bsae". Tests: base \(/);
  });

  it("takes the same record once, though its folder is named twice", async () => {
    await writeSmallRun(folder);
    const { records } = await readRun(settings({ run_dir: `${folder}, ${join(folder, "test-0")}` }));
    expect(records.map(({ command }) => command)).toEqual(["train-retriever", "test-e2e", "test-e2e"]);
  });

  it("tells of a missing folder, of one without records, and of broken files with their lines", async () => {
    await expect(readRun(settings({ run_dir: join(folder, "none") }))).rejects.toBeInstanceOf(UserError);
    await expect(readRun(settings())).rejects.toThrow(/no manifest\.<stage>\.json/);
    await writeSmallRun(folder);
    await appendFile(join(folder, "test-1/test-predictions.jsonl"), "{\n");
    await expect(readRun(settings())).rejects.toThrow(/test-predictions\.jsonl:5: not valid JSON/);
    await writeFile(join(folder, "test-0/manifest.test-e2e.json"), "{}");
    await expect(readRun(settings())).rejects.toBeInstanceOf(DataError);
  });
});

describe("figures", () => {
  it("recall@k is score.json's where it has k, with its interval, and counted from ranks between", async () => {
    await writeSmallRun(folder, { intervals: true });
    const { tuned } = await readRun(settings());
    expect(tuned && recallCurve(tuned)).toEqual([
      { system: "fine-tuned", k: 1, value: 0.375 },
      { system: "fine-tuned", k: 2, value: 0.75, interval: [0.55, 0.95] },
    ]);
    const counted = tuned && recallCurve({ ...tuned, figures: new Map() });
    expect(counted?.map(({ value }) => value)).toEqual([0, 0.75]);
  });

  it("ranks and score bins count every answer once, the ends too", async () => {
    await writeSmallRun(folder);
    const { systems } = await readRun(settings());
    const counts = rankCounts(systems).map(({ system, rank, questions }) => `${system} ${rank} ${questions}`);
    expect(counts).toEqual([
      "base 1 0",
      "fine-tuned 1 0",
      "base 2 1",
      "fine-tuned 2 3",
      "base missed 3",
      "fine-tuned missed 1",
    ]);
    const answers = [0, 0.1, 0.999, 1].map((rougeL) => ({ ...systems[0]?.answers[0], scores: { rougeL } }));
    const bins = histogram({ label: "x", answers: answers as never }, "rougeL");
    expect(bins.map((bin) => bin.answers)).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
  });

  it("the best evaluation is the first of equals, as training keeps it", async () => {
    await writeSmallRun(folder);
    const { trainings } = await readRun(settings());
    expect(trainings[0] && bestEvaluation(trainings[0])?.step).toBe(1);
  });

  it("what training chose itself goes before the figures: here the base, with its reason", async () => {
    await writeSmallRun(folder);
    const choice = { verdict: "Step 1 does not beat the base beyond chance.", kept: { step: 0 }, candidates: [] };
    const path = join(folder, "retriever/choice.json");
    await writeFile(path, JSON.stringify(choice));
    const { trainings } = await readRun(settings());
    expect(trainings[0] && bestEvaluation(trainings[0])?.step).toBe(0);
    expect(await page()).toContain(choice.verdict);
    await rm(path);
  });

  it("says how much a reranker's score counts, as its training chose", async () => {
    await writeSmallRun(folder);
    const chosen = (rerank_weight: number) =>
      writeFile(
        join(folder, "retriever/reranker.json"),
        JSON.stringify({ version: 1, rerank_weight, rerank_top_n: 20, first_stage: "vectors + 0.5 BM25" }),
      );
    await chosen(0.75);
    expect(await page()).toContain("The first 20 passages of vectors + 0.5 BM25 are reordered; its score counts 0.75");
    await chosen(0);
    expect(await page()).toContain("The search alone (vectors + 0.5 BM25) is kept");
  });
});

describe("the page", () => {
  it("shows BM25 and both together beside the vectors, where training measured them on its test file", async () => {
    await writeSmallRun(folder);
    const recall = (value: number) => ({ "document_recall/recall4": value });
    const path = join(folder, "retriever/test.json");
    const earlier = { questions: 40, base: recall(0.5), best: recall(0.6) };
    await writeFile(path, JSON.stringify(earlier));
    expect(await page()).not.toContain("Vectors, words and both");
    const test = { ...earlier, bm25: recall(0.55), hybrid: { ...recall(0.7), bm25_weight: 0.75 } };
    await writeFile(path, JSON.stringify(test));
    const { document } = parseHTML(await page());
    const heading = [...document.querySelectorAll("h3")].find((h3) => h3.textContent === "Vectors, words and both");
    expect(heading?.nextElementSibling?.textContent).toContain("40 questions");
    const rows = [...(heading?.nextElementSibling?.nextElementSibling?.querySelectorAll("tr") ?? [])];
    expect(rows.map((row) => [...row.children].map((cell) => cell.textContent))).toEqual([
      ["search", "recall@4"],
      ["base", "0.500"],
      ["fine-tuned", "0.600"],
      ["BM25", "0.550"],
      ["fine-tuned + 0.75 BM25", "0.700"],
    ]);
    await rm(path);
  });

  it("shows what people say of a test's answers and of users' turns, and how far they agree", async () => {
    await writeSmallRun(folder);
    const { systems } = await readRun(settings());
    const says = (i: number, labeller: string, labels: object) => {
      const answer = systems[1]?.answers[i];
      return { question_id: answer?.key, generated_answer: answer?.prediction.generated_answer, labeller, ...labels };
    };
    await writeJsonl(join(folder, "test-1/labels.jsonl"), [
      ...["correct", "correct", "incorrect", "correct"].map((label, i) => says(i, "Ada", { label })),
      ...["correct", "correct", "incorrect", "incorrect"].map((label, i) =>
        says(i, HOSTILE, { label, helpfulness: "helpful" }),
      ),
    ]);
    const turn = { kind: "turn", time: "", chat_history: [], finish_reason: "stop", passages: [], generator: "g" };
    await writeJsonl(join(folder, "turns.jsonl"), [
      { ...turn, id: "a", question: "Why?", answer: HOSTILE },
      { kind: "vote", id: "a", time: "", vote: "down", flag: false },
      { ...turn, id: "b", question: "How?", answer: "So." },
      { kind: "vote", id: "b", time: "", vote: "up", flag: false },
    ]);
    await writeJsonl(join(folder, "labels.jsonl"), [{ question_id: "a", labeller: "Ada", label: "retrieval_fault" }]);
    const { document } = parseHTML(await page());
    const tables = [...(document.getElementById("people")?.parentElement?.querySelectorAll("table") ?? [])].map(
      (table) =>
        [...table.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent)),
    );
    // Equal 3 of 4; by chance 3/4 x 1/2 + 1/4 x 1/2 = 1/2.
    expect(tables).toEqual([
      [
        [
          "fine-tuned",
          "correct",
          expect.stringMatching(/^0\.667 /),
          "4, 1 of them split",
          expect.stringMatching(/^0\.500.* Cohen's kappa, 4 answers$/),
        ],
        ["fine-tuned", "helpful", expect.stringMatching(/^1\.000 /), "4", ""],
        ["turns of users", "correct", expect.stringMatching(/^0\.000 /), "1", ""],
      ],
      [["Why?", HOSTILE, "voted down, retrieval fault"]],
    ]);
    expect(document.querySelectorAll("script")).toHaveLength(2);
    expect(document.querySelectorAll("img")).toHaveLength(0);
  });

  it("has every section, all charts with a description, and loads nothing", async () => {
    await writeSmallRun(folder, { judged: true, intervals: true });
    const text = await page();
    const { document } = parseHTML(text);
    const sections = [...document.querySelectorAll("h2")].map((heading) => heading.id);
    expect(sections).toEqual([
      "verdict",
      "figures",
      "two-by-two",
      "retrieval",
      "training",
      "scores",
      "people",
      "predictions",
      "cost",
      "provenance",
    ]);
    const charts = [...document.querySelectorAll("figure > svg")];
    expect(charts).toHaveLength(9);
    for (const chart of charts) expect(chart.getAttribute("aria-label")).toMatch(/\.$/);
    expect(text).not.toMatch(/(src|href)="(?!#|data:)/);
    expect(text).not.toContain("@import");
    const absent = [...document.querySelectorAll(".missing strong")].map((node) => node.textContent);
    expect(absent).toEqual(["No 2x2.", "Nobody has said anything yet."]);
    expect(text).toContain('0.750 <span class="muted">(0.550–0.950)</span>');
    expect(text).toContain("1234");
    expect(text).toContain("0123abcd");
  });

  it("shows refusals, citations and kinds of questions where a test has them, and no such section elsewhere", async () => {
    await writeSmallRun(folder, { intervals: true });
    const score = JSON.parse(await readFile(join(folder, "test-1/score.json"), "utf8"));
    const outcomes = { answered_rightly: 0.5, answered_wrongly: 0.25, refused_rightly: 0.25, refused_wrongly: 0 };
    for (const [name, value] of Object.entries({ ...outcomes, cites: 0.9, citation_precision: 0.8 }))
      score[`test_gen/${name}`] = value;
    await writeFile(join(folder, "test-1/score.json"), JSON.stringify(score));
    const kind = (questions: number, value: number) => ({
      questions,
      figures: { "test_gen/rougeL": value, "test_gen/rougeL_ci95": [value - 0.1, value + 0.1] },
    });
    await writeFile(
      join(folder, "test-1/by-kind.json"),
      JSON.stringify({ full: kind(3, 0.8), "how-to": kind(1, 0.4) }),
    );
    const { document } = parseHTML(await page());
    const rowsOf = (id: string) =>
      [...(document.getElementById(id)?.parentElement?.querySelectorAll("tbody tr") ?? [])].map((row) =>
        [...row.children].map((cell) => cell.textContent?.trim()),
      );
    expect(rowsOf("grounding")).toEqual([
      ["answered rightly", "–", "0.500", ""],
      ["refused rightly", "–", "0.250", ""],
      ["answered wrongly (less is better)", "–", "0.250", ""],
      ["refused wrongly (less is better)", "–", "0.000", ""],
      ["answers with a citation", "–", "0.900", ""],
      ["right citations", "–", "0.800", ""],
    ]);
    expect(rowsOf("kinds")).toEqual([
      ["full", "3", "0.800 (0.700–0.900)"],
      ["how-to", "1", "0.400 (0.300–0.500)"],
    ]);
    await writeFile(join(folder, "test-1/by-kind.json"), "{");
    await expect(page()).rejects.toThrow(/by-kind\.json: not figures by kind/);
  });

  it("says what is missing and how to get it, and stands without tests, training or answers", async () => {
    await writeSmallRun(folder);
    expect(await page()).toMatch(/No intervals\.[\s\S]*No judge\.[\s\S]*--gen_gpt4eval true/);
    await rm(join(folder, "retriever"), { recursive: true });
    await rm(join(folder, "test-0/test-predictions.jsonl"));
    await rm(join(folder, "test-1/test-predictions.jsonl"));
    expect(await page()).toMatch(/No training is in this run[\s\S]*No scores of single answers[\s\S]*No predictions/);
    await rm(join(folder, "test-0"), { recursive: true });
    expect(await page()).toContain("Nothing to compare with");
    const other = join(folder, "other");
    await mkdir(other);
    await writeFile(join(folder, "test-1/score.json"), "[]");
    await expect(page()).rejects.toThrow(/score\.json: not scores/);
    await rm(join(folder, "test-1/score.json"));
    expect(await page()).toContain("No test has finished here");
  });

  it("runs nothing that comes from data, whether written by the server or shown by the script", async () => {
    await writeSmallRun(folder, { judged: true });
    await writeFile(
      join(folder, "test-1/manifest.test-e2e.json"),
      (await readFile(join(folder, "test-1/manifest.test-e2e.json"), "utf8")).replace(
        "fine-tuned",
        HOSTILE.replaceAll('"', "'"),
      ),
    );
    const { document } = await opened();
    expect(document.querySelectorAll("script")).toHaveLength(2);
    for (const row of document.querySelectorAll("#rows details")) open(row);
    expect(document.querySelectorAll("img")).toHaveLength(0);
    expect(document.querySelector("#rows .row-body")?.textContent).toContain("</script>");
    expect(globalThis).not.toHaveProperty("hacked");
  });
});

type Document = ReturnType<typeof parseHTML>["document"];
type Element = NonNullable<ReturnType<Document["querySelector"]>>;

/** The page with its script run. */
async function opened(): Promise<{ document: Document; set: (id: string, value: string | boolean) => string[] }> {
  const { document, window } = parseHTML(await page());
  // linkedom gives a select no value of its own: that of the option that is selected.
  for (const select of document.querySelectorAll("select")) {
    const chosen = select.querySelector("[selected]") ?? select.querySelector("option");
    Object.defineProperty(select, "value", { value: chosen?.getAttribute("value"), writable: true });
  }
  for (const element of document.querySelectorAll("nav, ol, p")) Object.assign(element, { scrollIntoView: () => {} });
  const script = [...document.querySelectorAll("script")].at(-1)?.textContent ?? "";
  new Function("document", "window", script.replace("export {};", ""))(document, window);
  const questions = (): string[] =>
    [...document.querySelectorAll("#rows summary > span:nth-child(2)")].map((node) => node.textContent ?? "");
  return {
    document,
    set(id, value) {
      const control = document.getElementById(id);
      Object.assign(control ?? {}, typeof value === "boolean" ? { checked: value } : { value });
      control?.dispatchEvent(new window.Event("input", { bubbles: true }));
      return questions();
    },
  };
}

function open(details: Element): void {
  Object.assign(details, { open: true });
  details.dispatchEvent(new (details.ownerDocument.defaultView as unknown as { Event: typeof Event }).Event("toggle"));
}

describe("the table of predictions", () => {
  it("filters misses and wrong answers, searches, orders, and compares with the base", async () => {
    await writeSmallRun(folder);
    const { document, set } = await opened();
    expect(set("query", "")).toHaveLength(4);
    expect(set("misses", true)).toEqual(["question 3?"]);
    expect(set("system", "0")).toEqual(["question 1?", "question 2?", "question 3?"]);
    set("misses", false);
    expect(set("wrong", true)).toHaveLength(4);
    expect(set("limit", "0.05")).toHaveLength(0);
    set("limit", "0.3");
    expect(set("system", "1")).toEqual(["question 3?"]);
    set("wrong", false);
    expect(set("change", "fixed")).toEqual(["question 0?", "question 1?", "question 2?"]);
    expect(set("change", "found")).toEqual(["question 1?", "question 2?"]);
    expect(set("change", "lost")).toEqual([]);
    set("change", "");
    expect(set("order", "worst")[0]).toBe("question 3?");
    expect(set("query", "ANSWER 2")).toEqual(["question 2?"]);
    expect(document.getElementById("count")?.textContent).toBe("1 of 4 questions");
    expect(set("query", "onerror")).toContain("question 0?");
  });

  it("goes by the judge's verdict where there is one", async () => {
    await writeSmallRun(folder, { judged: true });
    const { set } = await opened();
    set("limit", "1");
    expect(set("wrong", true)).toEqual(["question 3?"]);
  });

  it("shows a thousand questions a page at a time, and makes a row's content only when it is opened", async () => {
    await writeSmallRun(folder, { questions: 1000 });
    const { document } = await opened();
    expect(document.querySelectorAll("#rows > li")).toHaveLength(20);
    expect(document.querySelectorAll(".passage")).toHaveLength(0);
    document.getElementById("next")?.click();
    expect(document.getElementById("page")?.textContent).toBe("Page 2 of 50");
    const row = document.querySelector("#rows details") as Element;
    open(row);
    open(row);
    expect(row.querySelectorAll(".passage")).toHaveLength(2);
    expect(row.querySelectorAll(".answers > div")).toHaveLength(3);
    expect(row.querySelector(".answers mark")?.textContent).toBe("one two three");
    // Four passages, however many questions retrieved them.
    const data = JSON.parse(document.getElementById("page-data")?.textContent ?? "");
    expect(data.passages).toHaveLength(4);
  });
});
