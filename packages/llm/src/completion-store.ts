import { appendFileSync, closeSync, createReadStream, fdatasync, ftruncateSync, openSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { DataError, hashText, readLines } from "@rag-ft/core";
import { z } from "zod";
import type { ChatMessage, Completion, CompletionOptions } from "./language-model.js";

const recordSchema = z.object({
  key: z.string(),
  text: z.string(),
  finish_reason: z.string(),
  refusal: z.string().optional(),
  thought: z.boolean().optional(),
  // Lines of earlier versions may hold what a server said of usage as it came.
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).optional().catch(undefined),
  seconds: z.number().optional(),
  billed: z
    .object({
      by: z.string(),
      model: z.string(),
      cost_usd: z.number().optional(),
      estimate: z.number().optional(),
    })
    .optional(),
});

/** Completions on disk, one JSON object a line, written the moment they arrive: a killed run does not pay twice. */
export interface CompletionStore {
  get(key: string): Completion | undefined;
  /** Written at once; resolves when it would outlast a power cut, too. */
  put(key: string, completion: Completion): Promise<void>;
  completions(): Iterable<Completion>;
  /** Completions held. */
  readonly size: number;
  close(): Promise<void>;
}

/**
 * Key of a request: hash of model, what shapes the reply, and the messages. `occurrence` tells the nth identical request
 * of a run from the others, since each is a sample of its own.
 */
export function completionKey(
  model: string,
  messages: readonly ChatMessage[],
  options: Pick<CompletionOptions, "temperature" | "max_new_tokens" | "stop" | "seed" | "schema" | "thinking">,
  occurrence = 0,
): string {
  const { temperature, max_new_tokens, stop = [], seed = null } = options;
  const turns = messages.map(({ role, content }) => [role, content]);
  // Added at the end where there is one, so that keys without are as they were.
  const more = [...(options.schema ? [options.schema] : []), ...(options.thinking ? ["thinking"] : [])];
  return hashText(JSON.stringify([model, temperature, max_new_tokens, stop, seed, turns, occurrence, ...more]));
}

/** Reads the lines; returns also how many bytes are whole lines, since a killed run may leave half a line at the end. */
async function readStore(
  path: string,
): Promise<{ completions: Map<string, Completion>; wholeBytes: number; torn: boolean }> {
  const completions = new Map<string, Completion>();
  const size = await stat(path).then(
    (info) => info.size,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    },
  );
  if (size === undefined) return { completions, wholeBytes: 0, torn: false };
  let number = 0;
  let [bytes, wholeBytes] = [0, 0];
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    const last = chunk.lastIndexOf(10);
    if (last >= 0) wholeBytes = bytes + last + 1;
    bytes += chunk.length;
  }
  const whole = wholeBytes === 0 ? [] : readLines(path, { bytes: wholeBytes });
  for await (const line of whole) {
    number++;
    if (line.trim() === "") continue;
    const place = `${path}:${number}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new DataError(
        `${place}: not JSON. The file holds completions of an earlier run: mend or remove the line.`,
        {
          cause,
        },
      );
    }
    const parsed = recordSchema.safeParse(value);
    if (!parsed.success)
      throw new DataError(`${place}: not a stored completion (key, text, finish_reason). Mend or remove the line.`);
    const { key, ...completion } = parsed.data;
    completions.set(key, completion);
  }
  return { completions, wholeBytes, torn: wholeBytes < bytes };
}

const dataSync = promisify(fdatasync);

/** Opens (or begins) a store. The caller closes it. `readOnly`: no folder is made. */
export async function openCompletionStore(path: string, { readOnly = false } = {}): Promise<CompletionStore> {
  if (!readOnly) await mkdir(dirname(path), { recursive: true });
  const { completions, wholeBytes, torn } = await readStore(path);
  let file: number | undefined;
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  // Without a turn of the event loop: between a reply's arrival and its line on disk there is no moment in which it could be lost.
  const openFile = (): number => {
    const opened = openSync(path, "a");
    // Half a line of a killed run goes before the first new one is added.
    if (torn) ftruncateSync(opened, wholeBytes);
    return opened;
  };
  // One sync after the other; what is written while one is at work shares the next.
  const sync = (target: number): Promise<void> => {
    next ??= running
      .catch(() => undefined)
      .then(() => {
        running = next ?? running;
        next = undefined;
        return dataSync(target);
      });
    return next;
  };
  return {
    get: (key) => completions.get(key),
    completions: () => completions.values(),
    get size() {
      return completions.size;
    },
    async put(key, completion) {
      completions.set(key, completion);
      file ??= openFile();
      // Written in one go, at once: a process killed in the next moment has it on disk; the sync is against a power cut.
      appendFileSync(file, `${JSON.stringify({ key, ...completion })}\n`);
      await sync(file);
    },
    async close() {
      await Promise.allSettled([running, next]);
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}
