import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  type AnyPrompt,
  readDocuments,
  readQa,
  SEARCHES_FILE,
  type StageContext,
  type StageResult,
  searchName,
  type TwoByTwo,
  UserError,
  writeJsonAtomic,
} from "@rag-ft/core";
import {
  createRequestTally,
  type LanguageModel,
  NO_ANSWER_TEXT,
  noAnswerText,
  openBill,
  openCompletionStore,
  refusalTest,
  STORE_NAME,
} from "@rag-ft/llm";
import { kindsTable, UNICODE_FIGURES_NOTE, wantsUnicodeFigures } from "@rag-ft/metrics";
import { checkReranking, checkRetrieval, resolveRetrieval } from "@rag-ft/retrieval";
import { baseSettings, comparedModels } from "./base-models.js";
import { type Cell, type ComparedModels, cellOf, cellsOf, type Side, sidesOf } from "./cells.js";
import { effectsOf } from "./effects.js";
import { type CellResult, evaluateCell } from "./evaluate-cell.js";
import { readLabels } from "./judge-agreement.js";
import { defaultParts, type TestE2eParts } from "./parts.js";
import { effectsTable, reportTable, type TableSystem } from "./report-table.js";
import {
  retrieveForAll,
  type Searches,
  type SearchingSettings,
  type SideRetrieval,
  searchesAlone,
} from "./retrieve-for-all.js";
import { numbersOf } from "./score.js";
import { searchesFile, searchLines } from "./searches-file.js";
import type { TestE2eSettings } from "./settings.js";
import { writeCell } from "./write-results.js";

export { defaultParts, type TestE2eParts } from "./parts.js";

/** The retriever's passages that a cell's prompts are made of. */
function retrievalOf(
  { passages }: Cell,
  found: ReadonlyMap<Side, SideRetrieval> | undefined,
): SideRetrieval | undefined {
  return passages === "base" || passages === "tuned" ? found?.get(passages) : undefined;
}

/** The settings of a cell by itself: with the models that it is made of, and the weight that was used. */
function cellSettings(
  settings: TestE2eSettings,
  { passages }: Cell,
  { retriever }: ComparedModels,
  retrieval: SideRetrieval | undefined,
): TestE2eSettings {
  return {
    ...settings,
    ...(passages === "base" ? { embedding_model_name_or_path: retriever.base } : {}),
    ...(retrieval?.bm25Weight === undefined ? {} : { bm25_weight: retrieval.bm25Weight }),
  };
}

function twoByTwo(
  cells: readonly Cell[],
  results: ReadonlyMap<string, CellResult>,
  models: ComparedModels,
  settings: TestE2eSettings,
): TwoByTwo {
  const main = results.get(cellOf("tuned", "tuned").name);
  return {
    version: 1,
    questions: main?.predictions.length ?? 0,
    models,
    cells: cells.map((cell) => ({ ...cell, figures: results.get(cell.name)?.score ?? {} })),
    effects: effectsOf(results, settings.seed),
  };
}

/** A line for each cell, then what tuning changed. */
function comparisonSummary({ cells, effects }: TwoByTwo, baselines: readonly TableSystem[]): string[] {
  const labels = new Map(cells.map(({ name, label }) => [name, label]));
  return [
    reportTable([...baselines, ...cells.map(({ label, figures }) => ({ label, figures }))]),
    "",
    "What tuning changed, question by question",
    effectsTable(effects, labels),
  ];
}

/** What the tables do not show, each cell's remarks under its label. */
function remarksOf(cells: readonly Cell[], results: ReadonlyMap<string, CellResult>): string[] {
  return cells.flatMap(({ name, label }) => {
    const lines = results.get(name)?.remarks ?? [];
    return cells.length > 1 && lines.length > 0 ? [`${label}:`, ...lines.map((line) => `  ${line}`)] : lines;
  });
}

/**
 * The whole system on held-out questions.
 *
 * 1. Retrieve for every question from the full database. 2. Answer greedily from the best passages. 3. Score retrieval and
 * answers; ask the judge when wanted. 4. Write predictions, scores and settings. Answers and verdicts are kept in
 * `completions.jsonl` as they arrive, so that a stopped run is continued by the same command.
 *
 * With compare_base the same for every combination of base and tuned models, and for gold passages and none in the place of retrieved
 * ones: each retriever is opened once, before all answers; each generator once, the tuned one first.
 */
export async function runTestE2e(
  settings: TestE2eSettings,
  context: StageContext,
  parts: TestE2eParts = defaultParts,
): Promise<StageResult> {
  const { reporter } = context;
  checkRetrieval(settings);
  checkReranking(settings);
  const models = await comparedModels(settings, reporter);
  const { retrieval } = settings;
  // One choice for both retrievers of a comparison, the tuned one's: what differs between them is the model alone.
  const search =
    retrieval === "auto" ? await resolveRetrieval(settings, models.retriever.tuned, reporter) : { retrieval };
  const no_answer_text = await noAnswerText(settings);
  return testCells({ ...settings, no_answer_text, retrieval_choice_of: undefined, ...search }, models, context, parts);
}

async function testCells(
  settings: SearchingSettings,
  models: ComparedModels,
  context: StageContext,
  parts: TestE2eParts,
): Promise<StageResult> {
  const { reporter, signal } = context;
  const cells = cellsOf(settings, models);
  const labels = settings.judge_labels === undefined ? undefined : await readLabels(settings.judge_labels);
  if (labels && !settings.gen_gpt4eval)
    throw new UserError("judge_labels is compared with a judge's verdicts: it wants --gen_gpt4eval true.");
  const documents = await readDocuments(settings.document_path);
  const rows = (await readQa(settings.eval_data_path, reporter)).slice(0, settings.max_test_samples);
  await mkdir(settings.output_dir, { recursive: true }).catch((cause) => {
    throw new UserError(`${settings.output_dir}: cannot be made a folder. Give output_dir another path.`, { cause });
  });
  for (const side of sidesOf(models.generator)) await parts.checkGenerator(models.generator[side], context);
  const store = await openCompletionStore(join(settings.output_dir, STORE_NAME));
  const outputs: string[] = [];
  const results = new Map<string, CellResult>();
  let judge: LanguageModel | undefined;
  let found: Searches | undefined;
  let tunedFormat: AnyPrompt | undefined;
  try {
    const tally = createRequestTally(await openBill({ purpose: "test-e2e", settings, store }));
    const tallied = { ...context, tally };
    for (const side of sidesOf(models.generator).reverse()) {
      // Opened before the database is embedded, so that a wrong name or a missing key shows first.
      const named = { ...settings, qa_model_name_or_path: models.generator[side] };
      const { generator, format } = await parts.openGenerator(named, tallied, tunedFormat);
      tunedFormat ??= format;
      try {
        if (settings.gen_gpt4eval || settings.judge_faithfulness) judge ??= await parts.openJudge(settings, tallied);
        found ??= await retrieveForAll(models.retriever, documents, rows, settings, tallied, parts);
        const refuses = refusalTest(settings.no_answer_text ?? tunedFormat.no_answer_text ?? NO_ANSWER_TEXT);
        const citations = format.citations === true;
        const shared = { settings, rows, judge, labels, refuses, citations, store, tally, reporter, signal };
        for (const cell of cells.filter(({ generator: wanted }) => wanted === side)) {
          if (settings.compare_base) reporter.info(`${cell.label} (${results.size + 1} of ${cells.length})`);
          const retrieval = retrievalOf(cell, found?.sides);
          const result = await evaluateCell(cell, generator, retrieval, shared);
          outputs.push(...(await writeCell(result, cellSettings(named, cell, models, retrieval), format, judge)));
          results.set(cell.name, result);
        }
      } finally {
        await generator.close();
      }
    }
    if (labels && ![...results.values()].some(({ agreement }) => agreement))
      reporter.warn(
        `${labels.path}: none of its ${labels.count} labels is of an answer that the judge gave a verdict on.`,
      );

    const main = results.get(cellOf("tuned", "tuned").name);
    const score = main?.score ?? {};
    const alone = found ? await searchesAlone(documents, rows, found, settings, context) : [];
    const searches = searchesFile(alone, found?.sides, rows);
    const searchesPath = join(settings.output_dir, SEARCHES_FILE);
    await writeJsonAtomic(searchesPath, searches);
    outputs.push(searchesPath);
    const baselines = alone.map((one) => ({ label: `${searchName(one)}, retrieval alone`, figures: one.figures }));
    const lines: string[] = [];
    if (settings.compare_base) {
      const comparison = twoByTwo(cells, results, models, settings);
      const path = join(settings.output_dir, "two-by-two.json");
      await writeJsonAtomic(path, comparison);
      outputs.push(path);
      lines.push(...comparisonSummary(comparison, baselines));
    } else {
      // Of an earlier run that did compare: it would not fit the scores beside it.
      await rm(join(settings.output_dir, "two-by-two.json"), { force: true });
      const label = settings.label ?? basename(settings.qa_model_name_or_path);
      lines.push(reportTable([...baselines, { label, figures: score }]));
    }
    if (main && main.kinds.length > 0) lines.push("", "By kind of question", kindsTable(main.kinds), "");
    if (wantsUnicodeFigures(rows.map((row) => row.gold_answer))) lines.push(UNICODE_FIGURES_NOTE);
    lines.push(...searchLines(searches), ...remarksOf(cells, results), ...tally.lines());
    return {
      outputs,
      ...(settings.compare_base ? { found_settings: baseSettings(models) } : {}),
      figures: numbersOf(score),
      record: { requests: tally.counts, split_by: searches.split_by, search: searches.used },
      summary: lines.join("\n"),
    };
  } finally {
    await store.close();
    await judge?.close();
  }
}
