import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentReporter, writeJsonAtomic, writeJsonl } from "@rag-ft/core";
import { parseHTML } from "linkedom";
import { afterEach, beforeEach, expect, it } from "vitest";
import { changeOf } from "./figures/change.js";
import { report } from "./index.js";
import { predictionData } from "./prediction-data.js";
import { readRun } from "./read/read-run.js";
import { writeSmallRun } from "./testing/write-run.js";
import { writeTwoByTwo } from "./testing/write-two-by-two.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-formats-"));
  await writeSmallRun(folder);
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const settings = () => report.settings.parse({ run_dir: folder });
async function page(): Promise<ReturnType<typeof parseHTML>["document"]> {
  await report.run(settings(), { reporter: silentReporter, signal: new AbortController().signal, env: {} });
  return parseHTML(await readFile(join(folder, "report.html"), "utf8")).document;
}

it("the 2x2: a grid, the effects, and every cell's answers to browse, those without retrieval as such", async () => {
  expect((await page()).querySelector("#two-by-two")?.parentElement?.textContent).toContain("--compare_base true");
  await writeTwoByTwo(folder);
  const document = await page();
  const section = document.querySelector("#two-by-two")?.parentElement;
  const grid = [...(section?.querySelectorAll("table") ?? [])][0];
  const rows = [...(grid?.querySelectorAll("tr") ?? [])].map((row) =>
    [...row.querySelectorAll("th, td")].map((cell) => cell.textContent?.split(" (")[0]),
  );
  expect(rows).toEqual([
    ["generator", "no passages", "base retriever", "tuned retriever", "gold passages"],
    ["base", "0.100", "0.250", "0.500", "0.600"],
    ["tuned", "0.200", "0.550", "0.750", "0.900"],
  ]);
  expect(section?.textContent).toContain("+0.200 (+0.100 to +0.300)0.0123, 0, 1");
  const data = JSON.parse(document.getElementById("page-data")?.textContent ?? "");
  expect(data.systems).toHaveLength(9);
  const byName = (name: string) => data.questions[0].by[data.systems.indexOf(name)];
  expect(byName("gold passages, tuned generator")).toMatchObject({ found: null, retrieved: [] });
  expect(byName("base passages, base generator")).toMatchObject({ found: true });
});

it("the 2x2's own base is what a test without another is compared with, question by question", async () => {
  await writeTwoByTwo(folder);
  await rm(join(folder, "test-0"), { recursive: true });
  const { base, tuned, systems } = await readRun(settings());
  expect(base?.label).toBe("base passages, base generator");
  expect(systems).toHaveLength(2);
  const change = base && tuned && changeOf(base, tuned, "test_gen/rougeL");
  // Every question improved by the same, so that the interval has no width, though those of the figures have.
  expect(change?.value).toBeCloseTo(0.5, 10);
  expect(change?.interval?.[0]).toBeCloseTo(0.5, 10);
  expect(change?.interval?.[1]).toBeCloseTo(0.5, 10);
});

it("figures over words of all scripts stand in the place of the references', at the top, in charts and beside answers", async () => {
  for (const test of ["test-0", "test-1"]) {
    const score = join(folder, test, "score.json");
    await writeJsonAtomic(score, {
      ...JSON.parse(await readFile(score, "utf8")),
      "test_gen/rougeL": 0,
      "test_gen/rougeL_unicode": 0.625,
    });
    const path = join(folder, test, "test-predictions.jsonl");
    const rows = (await readFile(path, "utf8")).trim().split("\n");
    await writeJsonl(
      path,
      rows.map((line) => {
        const row = JSON.parse(line);
        return { ...row, scores: { ...row.scores, rougeL: 0, rougeL_unicode: 0.625 } };
      }),
    );
  }
  const document = await page();
  const cards = [...document.querySelectorAll(".card-title")].map((card) => card.textContent);
  expect(cards).toContain("ROUGE-L (Unicode)");
  expect(cards).not.toContain("ROUGE-L");
  const scores = document.querySelector("#scores")?.parentElement?.textContent ?? "";
  expect(scores).toContain("ROUGE-L (Unicode)");
  expect(scores).not.toMatch(/ROUGE-L(?! \(Unicode\))/);
  const data = JSON.parse(document.getElementById("page-data")?.textContent ?? "");
  expect(data.questions[0].by[0]).toMatchObject({ rougeL: 0.625 });
});

it("retrievers tested alone, BM25 among them, have their own curve", async () => {
  const test = join(folder, "retrievers");
  const figures = { "test_retr/document_recall/recall1": 0.5, "test_retr/document_recall/recall10": 0.9 };
  await writeJsonAtomic(join(test, "score.json"), { version: 1, systems: [{ label: "BM25", figures }] });
  const record = JSON.parse(await readFile(join(folder, "test-0/manifest.test-e2e.json"), "utf8"));
  await writeJsonAtomic(join(test, "manifest.test-retriever.json"), { ...record, command: "test-retriever" });
  const labels = [...(await page()).querySelectorAll("figure > svg")].map((chart) => chart.getAttribute("aria-label"));
  expect(labels).toContain("recall at k. BM25 at 1: 0.500; BM25 at 10: 0.900.");
});

it("says how questions were split and passages were searched, and shows BM25 and hybrid search beside the tests", async () => {
  const recall4 = "test_retr/document_recall/recall2";
  for (const [i, retrieval] of (["dense", "hybrid"] as const).entries()) {
    const used = { tuned: { retrieval, ...(i === 1 ? { bm25_weight: 0.5 } : {}) } };
    const alone = [
      { retrieval: "bm25", figures: { [recall4]: 0.625, [`${recall4}_ci95`]: [0.5, 0.75] } },
      { retrieval: i === 1 ? "dense" : "hybrid", bm25_weight: i === 1 ? undefined : 0.5, figures: { [recall4]: 0.3 } },
    ];
    const file = { version: 1, questions: 4, split_by: "source", used, alone };
    await writeJsonAtomic(join(folder, `test-${i}/searches.json`), file);
    const path = join(folder, `test-${i}/test-predictions.jsonl`);
    const rows = (await readFile(path, "utf8")).trim().split("\n");
    await writeJsonl(
      path,
      rows.map((row) => ({ ...JSON.parse(row), split_by: "source" })),
    );
    const score = JSON.parse(await readFile(join(folder, `test-${i}/score.json`), "utf8"));
    await writeJsonAtomic(join(folder, `test-${i}/score.json`), { ...score, ci95_by_source: 3 });
  }
  const document = await page();
  const searches = [...document.querySelectorAll("h3")].find(
    ({ textContent }) => textContent === "Searches of the tests",
  );
  const cells = [...(searches?.parentElement?.querySelectorAll("tr") ?? [])].map((row) => row.textContent ?? "");
  expect(cells.filter((text) => text.startsWith("BM25, retrieval alone"))).toEqual([
    "BM25, retrieval alone–0.625 (0.500–0.750)",
  ]);
  for (const start of ["base: vectors", "vectors + 0.5 BM25, retrieval alone", "fine-tuned: vectors + 0.5 BM25"])
    expect(
      cells.some((text) => text.startsWith(start)),
      start,
    ).toBe(true);
  const text = document.body.textContent ?? "";
  expect(text).toContain(
    "In brackets 95 % intervals by source (3 sources). Split by source: the sets share no source.",
  );
  // The training's record is of an earlier version.
  expect(document.querySelector("[aria-labelledby=training]")?.textContent).toContain(
    "Split: unknown (made elsewhere).",
  );
});

it("people's labels beside the predictions are taken in, for the answer that was labelled and the last one given", async () => {
  const { systems } = await readRun(settings());
  const answer = systems[1]?.answers[2];
  const label = (name: string, generated_answer: string | undefined) =>
    `${JSON.stringify({ question_id: answer?.key, label: name, generated_answer })}\n`;
  const given = answer?.prediction.generated_answer;
  const text = label("correct", given) + label("retrieval_fault", given) + label("incorrect", "another answer");
  await writeFile(join(folder, "test-1/labels.jsonl"), text);
  const run = await readRun(settings());
  const { questions } = predictionData(run.systems, run.base, run.tuned as never);
  expect(questions.map(({ by }) => by[1]?.label)).toEqual([undefined, undefined, "retrieval_fault", undefined]);
  expect(questions.map(({ by }) => by[0]?.label)).toEqual(Array(4).fill(undefined));
});
