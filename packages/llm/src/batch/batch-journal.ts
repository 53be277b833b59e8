import { readFile } from "node:fs/promises";
import { appendJsonl, DataError, writeFileAtomic } from "@rag-ft/core";
import { z } from "zod";

const lineSchema = z.object({
  /** Our own mark of the batch, also in its metadata at the server. */
  mark: z.string(),
  /** `custom_id` of each request; on the first line of a mark. */
  requests: z.array(z.string()).optional(),
  /** The server's id; on the second line of a mark, since it is known only after the batch was made. */
  batch: z.string().optional(),
});

/** A batch that an earlier run, or this one, has sent or was about to send. */
export interface JournalledBatch {
  mark: string;
  requests: readonly string[];
  /** Undefined when the run ended between the two lines: the server may have it or not. */
  batch?: string;
}

/** Which requests are in which batch, on disk before and after each is sent. */
export interface BatchJournal {
  batches: JournalledBatch[];
  /** About to be sent. */
  begin(mark: string, requests: readonly string[]): Promise<JournalledBatch>;
  /** Was sent. */
  sent(entry: JournalledBatch, batch: string): Promise<void>;
}

function readLine(line: string, place: string): z.infer<typeof lineSchema> {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new DataError(`${place}: not a line about a batch (mark, requests, batch). Mend or remove the line.`, {
      cause,
    });
  }
}

/** Opens (or begins) a journal: JSON lines. Half a line at the end, of a killed run, is taken away. */
export async function openBatchJournal(path: string): Promise<BatchJournal> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole !== text) await writeFileAtomic(path, whole);
  const byMark = new Map<string, JournalledBatch>();
  for (const [index, line] of whole.split("\n").entries()) {
    if (line === "") continue;
    const { mark, requests, batch } = readLine(line, `${path}:${index + 1}`);
    byMark.set(mark, {
      mark,
      requests: requests ?? byMark.get(mark)?.requests ?? [],
      ...(batch === undefined ? {} : { batch }),
    });
  }
  const batches = [...byMark.values()];
  return {
    batches,
    async begin(mark, requests) {
      const entry: JournalledBatch = { mark, requests };
      batches.push(entry);
      await appendJsonl(path, { mark, requests });
      return entry;
    },
    async sent(entry, batch) {
      entry.batch = batch;
      await appendJsonl(path, { mark: entry.mark, batch });
    },
  };
}
