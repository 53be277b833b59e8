// Libraries that read files nobody has checked, in a thread of their own: a loop in one, or memory that it asks for without end, ends
// with the thread and not with the run, and Ctrl-C is heard meanwhile. The thread is kept for the next file.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { UnreadableFileError } from "../readers/unreadable-file-error.js";

/** What a task has in its thread. */
export interface ApartTools<Part, Question, Answer> {
  /** Imports a module by the address that the task was given (`addressOf`). */
  load(address: string): Promise<unknown>;
  /** Hands over a part of the result. */
  post(part: Part): void;
  /** Asks the thread of the reader for something. */
  ask(question: Question): Promise<Answer>;
}

/**
 * A function that runs in the thread. Only its text gets there, so that it must not use anything from outside of itself: modules come
 * through `load`.
 */
export type ApartTask<Input, Part, Question = never, Answer = never> = (
  input: Input,
  tools: ApartTools<Part, Question, Answer>,
) => Promise<void>;

export interface ApartLimits {
  /** Longest wait for the next part. */
  seconds: number;
  /** Of objects in the thread, and by how much the process may grow meanwhile. */
  megabytes: number;
}

export interface ApartRun<Question, Answer> {
  /** Of the file, for messages. */
  path: string;
  turn(): Promise<void>;
  answer?: (question: Question) => Promise<Answer>;
}

/** The library says that the file is not what it reads. */
export class ApartError extends Error {
  constructor(
    /** Name of the library's error. */
    readonly kind: string,
    message: string,
  ) {
    super(message);
  }
}

type Message<Part, Question> =
  | { type: "part"; part: Part }
  | { type: "ask"; id: number; question: Question }
  | { type: "done" }
  | { type: "failed"; kind: string; message: string };

const POLL_MS = 200;
const MEGABYTE = 2 ** 20;

const { resolve: resolveModule } = createRequire(import.meta.url);

/** Address of a module of an installed package, for `load` in the thread. */
export const addressOf = (module: string): string => pathToFileURL(resolveModule(module)).href;

/** Before the task's own text: nothing that a library prints is shown, and an error of it goes to the reader. */
const bootOf = (task: string): string => `
const { parentPort } = require("node:worker_threads");
const task = ${task};
for (const print of ["log", "info", "warn", "error", "debug"]) console[print] = () => {};
const answers = new Map();
let asked = 0;
const tools = {
  load: (address) => import(address),
  post: (part) => parentPort.postMessage({ type: "part", part }),
  ask: (question) => new Promise((answer) => {
    answers.set(++asked, answer);
    parentPort.postMessage({ type: "ask", id: asked, question });
  }),
};
parentPort.on("message", ({ input, id, answer }) => {
  if (id !== undefined) {
    answers.get(id)(answer);
    answers.delete(id);
    return;
  }
  task(input, tools).then(
    () => parentPort.postMessage({ type: "done" }),
    (error) => parentPort.postMessage({ type: "failed", kind: String(error?.name), message: String(error?.message ?? error) }),
  );
});`;

/** What comes from the thread, in order. */
class Inbox<T> {
  private readonly items: T[] = [];
  private wake: () => void = () => {};

  readonly put = (item: T): void => {
    this.items.push(item);
    this.wake();
  };

  /** The next item; undefined when none came in time. */
  async next(milliseconds: number): Promise<T | undefined> {
    if (this.items.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.items.shift();
  }
}

/** Runs a task on inputs in a thread, within limits. */
export class Apart<Input, Part, Question = never, Answer = never> {
  private idle: Worker | undefined;

  constructor(
    private readonly task: ApartTask<Input, Part, Question, Answer>,
    private readonly limits: ApartLimits,
  ) {}

  private start(): Worker {
    return new Worker(bootOf(this.task.toString()), {
      eval: true,
      resourceLimits: { maxOldGenerationSizeMb: this.limits.megabytes },
    });
  }

  /**
   * The parts that the task makes of an input.
   *
   * @throws ApartError as the task does; UnreadableFileError when it reaches a limit; what `turn` throws
   */
  async *run(input: Input, { path, turn, answer }: ApartRun<Question, Answer>): AsyncGenerator<Part> {
    const worker = this.idle ?? this.start();
    this.idle = undefined;
    const inbox = new Inbox<Message<Part, Question>>();
    const failed = (error: Error): void => inbox.put({ type: "failed", kind: error.name, message: error.message });
    const lost = (error: Error & { code?: string }): void => {
      if (error.code === "ERR_WORKER_OUT_OF_MEMORY") this.full(path, inbox);
      else failed(error);
    };
    worker.on("message", inbox.put).on("error", lost);
    worker.ref();
    worker.postMessage({ input });
    let whole = false;
    try {
      const most = process.memoryUsage.rss() + 2 * this.limits.megabytes * MEGABYTE;
      let waited = 0;
      for (;;) {
        const before = performance.now();
        const message = await inbox.next(POLL_MS);
        waited += performance.now() - before;
        await turn();
        if (message === undefined) {
          if (waited > this.limits.seconds * 1000) {
            throw new UnreadableFileError(
              `${path}: reading it takes more than ${this.limits.seconds} seconds, as nothing a person reads does. Repair, split or leave out the file.`,
            );
          }
          if (process.memoryUsage.rss() > most) throw this.tooLarge(path);
          continue;
        }
        waited = 0;
        if (message.type === "part") yield message.part;
        else if (message.type === "ask") {
          worker.postMessage({ id: message.id, answer: await answer?.(message.question) });
        } else {
          whole = true;
          if (message.type === "done") return;
          if (message.kind === "OutOfMemory") throw this.tooLarge(path);
          throw new ApartError(message.kind, message.message);
        }
      }
    } finally {
      worker.off("message", inbox.put).off("error", lost);
      if (whole && this.idle === undefined && worker.threadId > 0) {
        worker.unref();
        this.idle = worker;
      } else {
        worker.on("error", () => {});
        await worker.terminate();
      }
    }
  }

  private full(path: string, inbox: Inbox<Message<Part, Question>>): void {
    inbox.put({ type: "failed", kind: "OutOfMemory", message: path });
  }

  private tooLarge(path: string): UnreadableFileError {
    return new UnreadableFileError(
      `${path}: reading it takes more than ${this.limits.megabytes} MB of memory: it is damaged or unpacks to far more than a person reads. Split or leave out the file.`,
    );
  }
}
