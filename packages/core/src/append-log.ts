import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { toJsonl } from "./jsonl.js";

/** A file of JSON lines to which lines are only ever added. */
export interface AppendLog {
  /** Resolves when the line is on the disk. Lines are written one after the other, in the order of the calls. */
  add(row: unknown): Promise<void>;
}

/** Whether the next line begins on one of its own: a process killed while it wrote, or a power cut, may leave half a line. */
async function endsInLine(path: string): Promise<boolean> {
  try {
    const text = await readFile(path);
    return text.length === 0 || text.at(-1) === 10;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  }
}

/** Opens a log, making its folder if that is not there; the file is made with its first line. */
export async function openAppendLog(path: string): Promise<AppendLog> {
  await mkdir(dirname(path), { recursive: true });
  let lineBreak = (await endsInLine(path)) ? "" : "\n";
  let before: Promise<unknown> = Promise.resolve();
  const write = async (row: unknown): Promise<void> => {
    const file = await open(path, "a");
    try {
      // One call for the whole line: it is there or it is not.
      await file.appendFile(lineBreak + toJsonl([row]));
      await file.sync();
    } finally {
      await file.close();
    }
    lineBreak = "";
  };
  return {
    add(row) {
      const done = before.then(() => write(row));
      // A line that failed must not keep the next from being written.
      before = done.catch(() => {});
      return done;
    },
  };
}
