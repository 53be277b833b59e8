import { rm } from "node:fs/promises";
import { join } from "node:path";
import { formatTable, type StageResult, type TableRow, writeJsonAtomic } from "@rag-ft/core";
import type { Figures, TrainingOutcome } from "@rag-ft/train";
import type { FineTuneSettings } from "../fine-tune-settings.js";
import type { FineTuneTask, OtherSystem, TestTask } from "../fine-tune-task.js";
import { type Choice, candidateName, candidatePlace, type Place } from "./choice.js";

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

interface Measured {
  system: OtherSystem;
  figures: Figures;
}

async function measured(systems: readonly OtherSystem[], what: "evaluate" | "test"): Promise<Measured[]> {
  const all: Measured[] = [];
  for (const system of systems) all.push({ system, figures: await system[what]() });
  return all;
}

/** Measures the result, and what it is compared with, on the test questions; writes test.json, or removes that of an earlier run. */
export async function reportResult(finished: FinishedTraining): Promise<StageResult> {
  const { settings, task, outcome, choice, kept } = finished;
  const { before, after, remarks = [] } = (await task.compare?.(kept)) ?? { before: [], after: [] };
  const rowsOf =
    (split: string) =>
    (model: string, figures: Figures): TableRow => ({ split, model, ...task.table.cells(figures) });
  const others = (row: ReturnType<typeof rowsOf>, all: Measured[]): TableRow[] =>
    all.map(({ system, figures }) => row(system.name, figures));
  const row = rowsOf("eval");
  const rows: TableRow[] = [
    ...(settings.do_eval ? others(row, await measured(before, "evaluate")) : []),
    ...(outcome.baseFigures ? [row("base", outcome.baseFigures)] : []),
    ...(choice?.candidates ?? []).map((one) => row(candidateName(one), one.figures)),
    ...(settings.do_eval ? others(row, await measured(after, "evaluate")) : []),
  ];
  const figures: Figures = { ...kept.figures };
  const path = join(settings.output_dir, "test.json");
  if (task.test) {
    const row = rowsOf("test");
    const { best, tested } = await testResult(task.test, finished, { before, after });
    await writeJsonAtomic(path, testFile(task.test, finished, best, tested));
    rows.push(...others(row, tested.before), row("base", outcome.baseTest ?? {}), row(candidateName(kept), best));
    rows.push(...others(row, tested.after));
    Object.assign(figures, task.test.inRecord?.(best));
  } else await rm(path, { force: true }); // of an earlier run
  const { record } = task;
  return {
    outputs: [settings.output_dir],
    figures,
    ...(record && Object.keys(record).length > 0 ? { record } : {}),
    summary: [
      formatTable(rows, ["split", "model", ...task.table.columns(rows)]),
      ...(choice ? [choice.verdict] : []),
      ...remarks,
    ].join("\n"),
  };
}

interface Tested {
  before: Measured[];
  after: Measured[];
}

async function testResult(
  test: TestTask,
  { outcome, kept }: FinishedTraining,
  others: { before: readonly OtherSystem[]; after: readonly OtherSystem[] },
): Promise<{ best: Figures; tested: Tested }> {
  const best = kept.step === 0 && outcome.baseTest ? outcome.baseTest : await test.measure(kept);
  const after = await measured(others.after, "test");
  return { best, tested: { after, before: await measured(others.before, "test") } };
}

/** As `test.json` holds it. */
function testFile(
  test: TestTask,
  { outcome, kept }: FinishedTraining,
  best: Figures,
  { before, after }: Tested,
): object {
  const named = (all: Measured[]): object =>
    Object.fromEntries(all.map(({ system, figures }) => [system.key, figures]));
  return {
    ...named(before),
    base: outcome.baseTest ?? test.unmeasured ?? {},
    best: { ...best, ...candidatePlace(kept) },
    ...named(after),
    ...test.about,
  };
}
