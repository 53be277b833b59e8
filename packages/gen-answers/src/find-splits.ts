import { basename, dirname, join, resolve } from "node:path";
import { questionFilesIn, questionsPathKind, SPLITS, UserError } from "@rag-ft/core";
import type { GenAnswersSettings } from "./settings.js";

/** A file of questions and where its answers go. */
export interface Split {
  questions: string;
  /** `*_w_qa.jsonl` */
  full: string;
  /** `*_w_a.jsonl`, the compact twin. */
  compact: string;
}

/** `train_w_qa` or `train_w_qa.jsonl` → `train_w_qa.jsonl`, and its twin's name `train_w_a.jsonl`. */
export function outputNames(name: string): { full: string; compact: string } {
  const stem = name.replace(/\.jsonl$/i, "");
  const compact = /_w_qa$/.test(stem) ? stem.replace(/_w_qa$/, "_w_a") : `${stem}_w_a`;
  return { full: `${stem}.jsonl`, compact: `${compact}.jsonl` };
}

type SplitSettings = Pick<GenAnswersSettings, "dataset_w_q" | "save_dir" | "save_name">;

function makeSplit(settings: SplitSettings, questions: string, outputName: string): Split {
  const { full, compact } = outputNames(outputName);
  const folder = settings.save_dir ?? dirname(questions);
  return { questions, full: join(folder, full), compact: join(folder, compact) };
}

/** A file of questions, its outputs named after it unless `save_name` is given. */
function splitOf(settings: SplitSettings, questions: string): Split {
  const stem = basename(questions)
    .replace(/\.(jsonl|parquet)$/i, "")
    .replace(/_w_q$/, "");
  return makeSplit(settings, questions, settings.save_name ?? `${stem}_w_qa`);
}

/** The files to answer among those that an earlier stage would write. */
export function plannedSplits(settings: SplitSettings, planned: ReadonlyMap<string, unknown>): Split[] {
  const files = [settings.dataset_w_q, ...SPLITS.map((split) => join(settings.dataset_w_q, `${split}_w_q.jsonl`))];
  return files.filter((path) => planned.has(resolve(path))).map((path) => splitOf(settings, path));
}

/** The files to answer: the one named, or the splits in the folder named. */
export async function findSplits(settings: SplitSettings): Promise<Split[]> {
  const { dataset_w_q: path, save_name: name } = settings;
  if ((await questionsPathKind(path)) === "file") return [splitOf(settings, path)];
  if (name !== undefined)
    throw new UserError(
      `--save_name names the output of one file, but ${path} is a folder. Leave it out (the splits are named <split>_w_qa.jsonl), or give one file.`,
    );
  const files = await questionFilesIn(path);
  return files.map((file) => makeSplit(settings, file.path, `${file.split}_w_qa`));
}
