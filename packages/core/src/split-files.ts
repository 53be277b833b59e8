import { join } from "node:path";
import { UserError } from "./errors.js";
import { pathKind } from "./paths.js";

/** The splits of a data set, in the order in which stages treat them. */
export const SPLITS = ["train", "eval", "test"] as const;

/** Whether `--dataset_w_q` names a file of questions or a folder. */
export async function questionsPathKind(path: string): Promise<"file" | "folder"> {
  const kind = await pathKind(path);
  if (kind === undefined)
    throw new UserError(
      `${path}: no such file or folder. --dataset_w_q takes a *_w_q.jsonl or the folder that holds them.`,
    );
  return kind;
}

/** The file of rows that is there by this name: JSONL, else Parquet. */
export async function fileNamed(stem: string): Promise<string | undefined> {
  for (const path of [`${stem}.jsonl`, `${stem}.parquet`]) if ((await pathKind(path)) === "file") return path;
  return undefined;
}

/** A folder's files of questions, by split; at least one. */
export async function questionFilesIn(folder: string): Promise<{ split: (typeof SPLITS)[number]; path: string }[]> {
  const found: { split: (typeof SPLITS)[number]; path: string }[] = [];
  for (const split of SPLITS) {
    const path = await fileNamed(join(folder, `${split}_w_q`));
    if (path !== undefined) found.push({ split, path });
  }
  if (found.length === 0)
    throw new UserError(
      `${folder}: the folder holds none of ${SPLITS.map((split) => `${split}_w_q.jsonl`).join(", ")} (or .parquet). Run gen-questions first.`,
    );
  return found;
}
