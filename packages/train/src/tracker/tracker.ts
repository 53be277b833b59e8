import { join } from "node:path";
import type { Reporter } from "@rag-ft/core";
import { TensorBoardFile } from "./tensorboard-file.js";

/** Trackers that figures can be sent to while a model trains. */
export const TRACKERS = ["tensorboard"] as const;
export type TrackerName = (typeof TRACKERS)[number];

/** Where figures go besides the logs. No call fails: a tracker that does is given up with a warning, and training goes on. */
export interface Tracker {
  /** Called once, before the first figures. `after`: steps that were done before; what an earlier run has said of later ones is void. */
  start(after: number): Promise<void>;
  /** Figures at a step, by their names in train.jsonl and eval.jsonl. */
  log(step: number, figures: Readonly<Record<string, number>>): Promise<void>;
}

/** What `report_to` names: `none`, one tracker or several between commas; `all` stands for all there are. */
export function trackersOf(reportTo: string | undefined): { known: TrackerName[]; unknown: string[] } {
  const names = (reportTo ?? "none")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "none");
  const isKnown = (name: string): name is TrackerName => (TRACKERS as readonly string[]).includes(name);
  const known = names.includes("all") ? [...TRACKERS] : names.filter(isKnown);
  return { known: [...new Set(known)], unknown: names.filter((name) => name !== "all" && !isKnown(name)) };
}

/** Names as Hugging Face's trainer gives them to trackers: `train/loss`, `eval/loss`, `eval/retr/mrr`. */
export function tagOf(name: string): string {
  const [, split, rest] = /^(eval|test)_(.+)$/.exec(name) ?? [];
  return split === undefined ? `train/${name}` : `${split}/${rest}`;
}

/** The tracker that `report_to` asks for; one that does nothing when it asks for none. */
export function openTracker(settings: { report_to?: string; output_dir: string }, reporter: Reporter): Tracker {
  const { known } = trackersOf(settings.report_to);
  if (known.length === 0) return { start: async () => {}, log: async () => {} };
  const file = new TensorBoardFile(join(settings.output_dir, "runs"));
  let off = false;
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    if (off) return;
    try {
      await work();
    } catch (error) {
      off = true;
      reporter.warn(`tensorboard: ${error instanceof Error ? error.message : error}. Training goes on without it.`);
    }
  };
  return {
    start: (after) => guarded(() => file.start(after)),
    log: (step, figures) =>
      guarded(() => file.write(step, new Map(Object.entries(figures).map(([name, value]) => [tagOf(name), value])))),
  };
}
