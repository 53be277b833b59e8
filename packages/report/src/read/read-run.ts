import { basename, resolve } from "node:path";
import { UserError } from "@rag-ft/core";
import type { ReportSettings } from "../settings.js";
import { readStageRecords, type StageRecord } from "./stage-record.js";
import { readSystem, type System } from "./system.js";
import { readTraining, type Training } from "./training.js";

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
}

function unique(systems: readonly System[]): System[] {
  return systems.map((system) => {
    const same = systems.filter(({ label }) => label === system.label);
    return same.length > 1 ? { ...system, label: `${system.label} (${basename(system.folder)})` } : system;
  });
}

function chosen(systems: readonly System[], wanted: string, setting: string): System {
  const found = systems.find(
    ({ label, folder, record }) =>
      label === wanted || resolve(folder) === resolve(wanted) || record.settings.output_dir === wanted,
  );
  if (found) return found;
  const known = systems.map(({ label, folder }) => `${label} (${folder})`).join(", ");
  throw new UserError(
    `${setting}: no test is called ${JSON.stringify(wanted)}. ${known === "" ? "The folders hold no test." : `Tests: ${known}.`}`,
  );
}

/** Reads a run's folders. What a stage has not written is left out; what is there but malformed fails. */
export async function readRun(settings: ReportSettings): Promise<Run> {
  // An earlier report tells nothing of the run.
  const records = (await readStageRecords(settings.run_dir)).filter(({ command }) => command !== "report");
  const trainings = await Promise.all(records.filter(({ command }) => command.startsWith("train-")).map(readTraining));
  const tests = await Promise.all(records.filter(({ command }) => command === "test-e2e").map(readSystem));
  const systems = unique(tests.filter((system) => system !== undefined));
  const tuned = settings.tuned === undefined ? systems.at(-1) : chosen(systems, settings.tuned, "tuned");
  const others = systems.filter((system) => system !== tuned);
  const base =
    settings.base === undefined
      ? (others.find(({ label }) => /^base\b/i.test(label)) ?? others[0])
      : chosen(systems, settings.base, "base");
  const title = settings.title ?? basename(resolve(settings.run_dir[0] ?? "."));
  return {
    title,
    records,
    trainings,
    systems,
    ...(base && base !== tuned ? { base } : {}),
    ...(tuned ? { tuned } : {}),
  };
}
