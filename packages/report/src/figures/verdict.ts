import { searchName } from "@rag-ft/core";
import {
  type CompareFigure,
  isShown,
  type MeasuredSearch,
  measuredSearches,
  type RunVerdict,
  recallsAmong,
  runVerdict,
  SOURCES_NAME,
} from "@rag-ft/metrics";
import type { Run } from "../read/read-run.js";
import type { System } from "../read/system.js";
import type { Training } from "../read/training.js";
import { changeOf } from "./change.js";
import { headlineMetrics, isDrawn } from "./headline.js";

const PARTS: Readonly<Record<string, CompareFigure["part"]>> = {
  retriever: "search",
  answer: "answer",
  judge: "judge",
};

/** What both tests measured, of the figures that tables of systems show. */
function ofTests(base: System, tuned: System): CompareFigure[] {
  const questions = tuned.figures.get("num_questions")?.value ?? tuned.answers.length;
  const shared = headlineMetrics([tuned]).filter(
    (metric) => isDrawn(metric) && isShown(metric, "narrow") && base.figures.has(metric.name),
  );
  return shared.flatMap(({ name, heading, part }): CompareFigure[] => {
    const [before, now, kind] = [base.figures.get(name), tuned.figures.get(name), PARTS[part]];
    if (!before || !now || !kind) return [];
    const interval = changeOf(base, tuned, name)?.interval;
    return [
      {
        part: kind,
        title: heading,
        base: before.value,
        tuned: now.value,
        questions,
        ...(interval ? { interval } : {}),
      },
    ];
  });
}

/** A retriever's training on its own test file, where no whole systems were compared. */
function ofTraining({ test }: Training): CompareFigure[] {
  if (!test) return [];
  const { base, best, change, questions } = test;
  return recallsAmong(best).flatMap(({ name, heading }): CompareFigure[] => {
    const [before, now, interval] = [base[name], best[name], change?.[name]?.ci95];
    if (before === undefined || now === undefined) return [];
    return [
      { part: "retriever", title: heading, base: before, tuned: now, questions, ...(interval ? { interval } : {}) },
    ];
  });
}

/** Searches of the test file. */
function searchesOf(training: Training | undefined, tuned: System | undefined): MeasuredSearch[] {
  const used = tuned?.searches?.used.tuned ?? { retrieval: "dense" as const };
  return training?.test ? measuredSearches(training.test, searchName(used)) : [];
}

function labelledOf({ answers }: System): { correct: number; answers: number } {
  const labels = answers.flatMap(({ people }) => people?.label ?? []);
  return { correct: labels.filter((label) => label === "correct").length, answers: labels.length };
}

/** What a run's figures say; undefined where base and fine-tuned were not compared. */
export function verdictOf({ base, tuned, trainings }: Run): RunVerdict | undefined {
  const training = trainings.findLast(({ test, metric }) => test !== undefined && metric.name !== "eval_loss");
  const figures = base && tuned ? ofTests(base, tuned) : training ? ofTraining(training) : [];
  const gain = training?.hybrid?.over_dense;
  return runVerdict({
    figures,
    sources: tuned?.figures.get(SOURCES_NAME)?.value ?? 0,
    searches: searchesOf(training, tuned),
    ...(gain ? { overDense: gain } : {}),
    ...(tuned ? { testFolder: tuned.folder, labelled: labelledOf(tuned) } : {}),
  });
}
