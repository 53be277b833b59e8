import { mkdir, open, readFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { toJsonl } from "./jsonl.js";

/** A file of JSON lines to which lines are only ever added. */
export interface AppendLog {
  /** Resolves when the line is on the disk. Lines are written one after the other, in the order of the calls. */
  add(row: unknown): Promise<void>;
}

/**
 * What is to stand before the next line. A process killed while it wrote, or a power cut, may leave half a line, which nobody was told is kept: it goes. A
 * whole one without its line break, as an editor may leave it, gets that.
 */
async function mendEnd(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
  const start = bytes.lastIndexOf(10) + 1;
  if (start === bytes.length) return "";
  try {
    JSON.parse(bytes.toString("utf8", start));
    return "\n";
  } catch {
    await truncate(path, start);
    return "";
  }
}

/** Opens a log, making its folder if that is not there; the file is made with its first line. */
export async function openAppendLog(path: string): Promise<AppendLog> {
  await mkdir(dirname(path), { recursive: true });
  let lineBreak = await mendEnd(path);
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
