import { basename, resolve } from "node:path";
import { UserError } from "@rag-ft/core";
import type { ReportSettings } from "../settings.js";
import { readStageRecords, type StageRecord } from "./stage-record.js";
import { type ComparedBase, readRetrievers, readTest, type System, type Test } from "./system.js";
import { readTraining, type Training } from "./training.js";
import { readTurns, type Turns } from "./turns.js";

/** Everything that a report is made of. */
export interface Run {
  title: string;
  /** Every stage that has finished, in the order in which they ran. */
  records: StageRecord[];
  trainings: Training[];
  /** Every test of a whole system, in the order in which they ran. */
  systems: System[];
  base?: System;
  tuned?: System;
  /** Retrievers that were tested alone. */
  retrievers: System[];
  /** Base and tuned halves in every combination, where that was tested. */
  compared?: ComparedBase;
  /** What users asked the served system. */
  turns: Turns[];
}

function unique(systems: readonly System[]): System[] {
  return systems.map((system) => {
    const same = systems.filter(({ label }) => label === system.label);
    return same.length > 1 ? { ...system, label: `${system.label} (${basename(system.folder)})` } : system;
  });
}

function chosen(tests: readonly Test[], systems: readonly System[], wanted: string, setting: string): System {
  const found = systems.find(
    ({ label, folder }, i) =>
      label === wanted || resolve(folder) === resolve(wanted) || tests[i]?.record.settings.output_dir === wanted,
  );
  if (found) return found;
  const known = systems.map(({ label, folder }) => `${label} (${folder})`).join(", ");
  throw new UserError(
    `${setting}: no test is called ${JSON.stringify(wanted)}. ${known === "" ? "The folders hold no test." : `Tests: ${known}.`}`,
  );
}

/** The 2x2's cell of the models as they were before; undefined when there is none but the tuned one's. */
function baseCell({ twoByTwo, cells }: ComparedBase): System | undefined {
  const { retriever, generator } = twoByTwo.models;
  const passages = retriever.base === retriever.tuned ? "tuned" : "base";
  const answers = generator.base === generator.tuned ? "tuned" : "base";
  const i = twoByTwo.cells.findIndex((cell) => cell.passages === passages && cell.generator === answers);
  return twoByTwo.cells[i]?.folder === "." ? undefined : cells[i];
}

/** Reads a run's folders. What a stage has not written is left out; what is there but malformed fails. */
export async function readRun(settings: ReportSettings): Promise<Run> {
  // What a person or an earlier report did afterwards tells nothing of the run.
  const records = (await readStageRecords(settings.run_dir)).filter(
    ({ command }) => command !== "report" && command !== "review",
  );
  const of = (name: RegExp): StageRecord[] => records.filter(({ command }) => name.test(command));
  const trainings = await Promise.all(of(/^train-/).map(readTraining));
  const tests = (await Promise.all(of(/^test-e2e$/).map(readTest))).filter((test) => test !== undefined);
  const retrievers = (await Promise.all(of(/^test-retriever$/).map(readRetrievers))).flat();
  const systems = unique(tests.map(({ system }) => system));
  const { tuned: wantedTuned, base: wantedBase } = settings;
  const tuned = wantedTuned === undefined ? systems.at(-1) : chosen(tests, systems, wantedTuned, "tuned");
  const own = tuned && tests[systems.indexOf(tuned)]?.compared;
  const compared = own ?? tests.findLast((test) => test.compared)?.compared;
  const others = systems.filter((system) => system !== tuned);
  const cell = own && baseCell(own);
  const base =
    wantedBase === undefined
      ? (others.find(({ label }) => /^base\b/i.test(label)) ?? cell ?? others[0])
      : chosen(tests, systems, wantedBase, "base");
  const turns = (await Promise.all(settings.run_dir.map(readTurns))).filter((one) => one !== undefined);
  const title = settings.title ?? basename(resolve(settings.run_dir[0] ?? "."));
  return {
    title,
    records,
    trainings,
    systems: base && !systems.includes(base) ? [base, ...systems] : systems,
    retrievers,
    turns,
    ...(base && base !== tuned ? { base } : {}),
    ...(tuned ? { tuned } : {}),
    ...(compared ? { compared } : {}),
  };
}
