import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  describeSplit,
  formatTable,
  type StageResult,
  type TableRow,
  UNKNOWN_SPLIT,
  writeJsonAtomic,
} from "@rag-ft/core";
import type { Figures, TrainingOutcome } from "@rag-ft/train";
import type { FineTuneSettings } from "../fine-tune-settings.js";
import type { FineTuneTask, OtherSystem, TestFigures, TestTask } from "../fine-tune-task.js";
import { frozenLine, frozenRecord } from "../frozen-states.js";
import { type Choice, candidateName, candidatePlace, type Place } from "./choice.js";
import { changesOf, withIntervals } from "./test-intervals.js";

/** What is kept; without evaluations there are no figures. */
export type Kept = Place & { figures: Figures | undefined };

export interface FinishedTraining {
  settings: FineTuneSettings;
  task: FineTuneTask;
  outcome: TrainingOutcome;
  /** Undefined when nothing was trained, or there was nothing to choose by. */
  choice: Choice | undefined;
  /** The weights in memory. */
  kept: Kept;
}

interface Measured<T> {
  system: OtherSystem;
  found: T;
}

async function measured<T>(
  systems: readonly OtherSystem[],
  measure: (system: OtherSystem) => Promise<T>,
): Promise<Measured<T>[]> {
  const all: Measured<T>[] = [];
  for (const system of systems) all.push({ system, found: await measure(system) });
  return all;
}

const onEval = (systems: readonly OtherSystem[]): Promise<Measured<Figures>[]> =>
  measured(systems, (system) => system.evaluate());
const onTest = (systems: readonly OtherSystem[]): Promise<Measured<TestFigures>[]> =>
  measured(systems, (system) => system.test());

/** Measures the result, and what it is compared with, on the test questions; writes test.json, or removes that of an earlier run. */
export async function reportResult(finished: FinishedTraining): Promise<StageResult> {
  const { settings, task, outcome, choice, kept } = finished;
  const { before, after, remarks = [] } = (await task.compare?.(kept)) ?? { before: [], after: [] };
  const rowsOf =
    (split: string) =>
    (model: string, figures: Figures): TableRow => ({ split, model, ...task.table.cells(figures) });
  const ofEval = (all: Measured<Figures>[]): TableRow[] => all.map(({ system, found }) => row(system.name, found));
  const row = rowsOf(task.evalName ?? "eval");
  const rows: TableRow[] = [
    ...(settings.do_eval ? ofEval(await onEval(before)) : []),
    ...(outcome.baseFigures ? [row("base", outcome.baseFigures)] : []),
    ...(choice?.candidates ?? []).map((one) => row(candidateName(one), one.figures)),
    ...(settings.do_eval ? ofEval(await onEval(after)) : []),
  ];
  const figures: Figures = { ...kept.figures };
  const path = join(settings.output_dir, "test.json");
  if (task.test) {
    const row = rowsOf("test");
    const ofTest = (all: Measured<TestFigures>[]): TableRow[] =>
      all.map(({ system, found }) => row(system.name, found.figures));
    const { best, tested } = await testResult(task.test, finished, { before, after });
    await writeJsonAtomic(path, testFile(task.test, finished, best, tested));
    rows.push(...ofTest(tested.before), row("base", outcome.baseTest ?? {}));
    rows.push(row(candidateName(kept), best.figures), ...ofTest(tested.after));
    Object.assign(figures, task.test.inRecord?.(best.figures));
  } else await rm(path, { force: true }); // of an earlier run
  const { splitBy } = task;
  const isKnown = splitBy !== undefined && splitBy !== UNKNOWN_SPLIT;
  const frozen = task.steps > 0 ? task.model.frozen?.part : undefined;
  const record = {
    ...task.record,
    ...(frozen ? { frozen: frozenRecord(frozen) } : {}),
    ...(isKnown ? { split_by: splitBy } : {}),
  };
  return {
    outputs: [settings.output_dir],
    figures,
    ...(Object.keys(record).length > 0 ? { record } : {}),
    summary: [
      ...(splitBy === undefined ? [] : [describeSplit(splitBy)]),
      ...(frozen ? [frozenLine(frozen)] : []),
      formatTable(rows, ["split", "model", ...task.table.columns(rows)]),
      ...(choice ? [choice.verdict] : []),
      ...remarks,
    ].join("\n"),
  };
}

interface Tested {
  before: Measured<TestFigures>[];
  after: Measured<TestFigures>[];
}

function baseOf({ baseTest: figures, baseTestRows: rows }: TrainingOutcome): TestFigures | undefined {
  return figures && { figures, rows };
}

async function testResult(
  test: TestTask,
  { outcome, kept }: FinishedTraining,
  others: { before: readonly OtherSystem[]; after: readonly OtherSystem[] },
): Promise<{ best: TestFigures; tested: Tested }> {
  const best = (kept.step === 0 && baseOf(outcome)) || (await test.measure(kept));
  const after = await onTest(others.after);
  return { best, tested: { after, before: await onTest(others.before) } };
}

/** As `test.json` holds it: figures with the intervals of those that are means over questions, and what changed question by question. */
function testFile(
  test: TestTask,
  { task, outcome, kept }: FinishedTraining,
  best: TestFigures,
  { before, after }: Tested,
): object {
  const { sources } = test;
  const base = baseOf(outcome);
  const shown = (found: TestFigures): object => withIntervals(found, sources);
  const named = (all: Measured<TestFigures>[]): object =>
    Object.fromEntries(all.map(({ system, found }) => [system.key, shown(found)]));
  return {
    ...named(before),
    base: base ? shown(base) : (test.unmeasured ?? {}),
    best: { ...shown(best), ...candidatePlace(kept) },
    ...named(after),
    ...(base ? changesOf(base, best, sources) : {}),
    ...test.about,
    ...(task.splitBy === undefined ? {} : { split_by: task.splitBy }),
  };
}
