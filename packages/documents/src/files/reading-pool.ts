// Files are read by threads, ahead of what is asked for: the main thread counts tokens meanwhile and hears Ctrl-C at once, and a file
// that takes too much time or memory ends its thread, not the run.
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { LeftOut } from "../left-out.js";
import type { SourceFile } from "../readers/reader.js";
import type { ReadFileOptions, ReadPage } from "./read-file.js";
import { type FromReader, PAGES_AHEAD, receiveError, sendError, type ToReader } from "./reading-messages.js";

/** Starting a thread takes as long as reading this much. */
const WORTH_BYTES = 1_000_000;
const MOST_THREADS = 8;
/** Files that each thread may be ahead. */
const FILES_AHEAD = 4;
/** A file from which nothing has come for this long is left out. */
const MOST_SECONDS = 120;
/** Memory of a thread; a parser leaves much behind soon, so that a large young generation halves its time. */
const LIMITS = { maxYoungGenerationSizeMb: 96, maxOldGenerationSizeMb: 3072 } as const;
/** Milliseconds between two looks at whether the run was asked to stop. */
const LOOK = 100;

/** Beside this file in a built package; sources run in the main thread. */
const THREAD = new URL("./read-worker.js", import.meta.url);

interface Task {
  file: SourceFile;
  messages: FromReader[];
  /** Pages that came and were not taken. */
  untaken: number;
  thread?: Thread;
  wake: () => void;
  heard: number;
}

class Thread {
  private worker: Worker | undefined;
  task: Task | undefined;

  constructor(private readonly onFree: () => void) {}

  start(task: Task, explain: boolean): void {
    this.worker ??= this.open();
    this.task = task;
    task.thread = this;
    task.heard = Date.now();
    this.worker.postMessage({ read: task.file, explain } satisfies ToReader);
  }

  taken(number: number): void {
    this.worker?.postMessage({ taken: number } satisfies ToReader);
  }

  /** Ends the thread because of its file; the next file gets a new one. */
  async give(up: string): Promise<void> {
    const { task, worker } = this;
    this.worker = undefined;
    await worker?.terminate();
    if (task) this.finish(task, { done: true, error: { kind: "unreadable", message: `${task.file.path}: ${up}` } });
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
    this.worker = undefined;
  }

  private open(): Worker {
    const worker = new Worker(THREAD, { resourceLimits: LIMITS, execArgv: [] });
    let ready = false;
    worker.on("message", (message: FromReader) => {
      if ("ready" in message) ready = true;
      const { task } = this;
      if (task === undefined) return;
      task.heard = Date.now();
      if ("done" in message) this.finish(task, message);
      else if (!("ready" in message)) {
        if ("page" in message) task.untaken++;
        task.messages.push(message);
        task.wake();
      }
    });
    worker.on("error", (error: NodeJS.ErrnoException) => {
      if (this.worker !== worker) return;
      const { task } = this;
      // A thread that cannot start says nothing of its file.
      if (!ready && task) this.finish(task, { done: true, error: sendError(error) });
      else if (error.code === "ERR_WORKER_OUT_OF_MEMORY") {
        void this.give("takes too much memory to be read. Split or leave out the file.");
      } else void this.give(`cannot be read (${error.message}).`);
    });
    return worker;
  }

  private finish(task: Task, message: FromReader): void {
    this.task = undefined;
    task.messages.push(message);
    task.wake();
    this.onFree();
  }
}

export class ReadingPool {
  private readonly tasks = new Map<number, Task>();
  private readonly threads: Thread[] = [];
  private next = 0;

  constructor(
    private readonly files: readonly SourceFile[],
    private readonly options: ReadFileOptions,
    threads: number,
  ) {
    for (let i = 0; i < threads; i++) this.threads.push(new Thread(() => this.assign()));
  }

  /** Gives files to threads that have none, no more than are to be asked for soon. */
  private assign(): void {
    for (const thread of this.threads) {
      if (thread.task !== undefined) continue;
      if (this.next >= this.files.length || this.tasks.size >= this.threads.length * FILES_AHEAD) return;
      const file = this.files[this.next] as SourceFile;
      const task: Task = { file, messages: [], untaken: 0, wake: () => {}, heard: 0 };
      this.tasks.set(this.next, task);
      this.next++;
      thread.start(task, this.options.explain ?? false);
    }
  }

  /** The pages of file number `index`. To be called once each, in order. */
  async *read(index: number): AsyncGenerator<ReadPage> {
    this.assign();
    const task = this.tasks.get(index);
    if (task === undefined) return;
    for (;;) {
      const message = task.messages.shift();
      if (message === undefined) await this.wait(task);
      else if ("warning" in message) this.options.warn(message.warning);
      else if ("included" in message) this.options.included?.(message.included);
      else if ("page" in message) {
        task.untaken--;
        task.thread?.taken(1);
        yield { ...message.page, file: task.file, leftOut: LeftOut.of(message.leftOut) };
      } else if ("done" in message) {
        this.tasks.delete(index);
        if (message.error) throw receiveError(message.error);
        return;
      }
    }
  }

  private async wait(task: Task): Promise<void> {
    const waiting = new AbortController();
    task.wake = () => waiting.abort();
    await delay(LOOK, undefined, { signal: waiting.signal }).catch(() => {});
    task.wake = () => {};
    await this.options.turn();
    const silent =
      task.untaken < PAGES_AHEAD && task.thread?.task === task && Date.now() - task.heard > MOST_SECONDS * 1000;
    if (silent)
      await task.thread?.give(`takes more than ${MOST_SECONDS} seconds to be read. Split or leave out the file.`);
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.close()));
  }
}

/** Threads for many or large files; undefined when reading here is as fast. */
export async function openReadingPool(
  files: readonly SourceFile[],
  options: ReadFileOptions,
): Promise<ReadingPool | undefined> {
  if (!existsSync(fileURLToPath(THREAD))) return undefined;
  let bytes = 0;
  for (const { path } of files) {
    bytes += (await stat(path).catch(() => ({ size: 0 }))).size;
    if (bytes >= WORTH_BYTES) {
      const threads = Math.min(availableParallelism(), MOST_THREADS, files.length);
      return new ReadingPool(files, options, threads);
    }
  }
  return undefined;
}
