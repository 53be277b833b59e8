import type { Readable, Writable } from "node:stream";
import type { z } from "zod";
import type { Reporter } from "./progress.js";

/** What a stage is given besides its settings. */
export interface StageContext {
  reporter: Reporter;
  /** Aborted on Ctrl-C: a stage stops at the next safe point and throws `CancelledError`. */
  signal: AbortSignal;
  /** Environment variables (`OPENAI_API_KEY`, `OPENAI_BASE_URL`, `HF_TOKEN`, …); `process.env` outside tests. */
  env: Readonly<Record<string, string | undefined>>;
  /**
   * Of a training by another engine only this: `export` writes its folder; `import` takes in what came back, from `result` where it lies elsewhere than in
   * that folder. Left out: whatever is next.
   */
  engineStep?: { kind: "export" } | { kind: "import"; result?: string };
  /** The caller writes a run record of the result, and calls its `settle` when that is written. */
  records?: boolean;
  /** Where a stage that talks reads and writes while it runs; left out where stages run in a row. */
  terminal?: Terminal;
}

/** Standard input and output of who started a stage. */
export interface Terminal {
  input: Readable;
  output: Writable;
}

/** What a finished stage says of itself. */
export interface StageResult {
  /** Files and folders written. */
  outputs: string[];
  /** Settings that were left out and that the stage has found by itself: the run record names them, too. */
  found_settings?: Record<string, unknown>;
  /** Headline figures, by name. */
  figures?: Record<string, number>;
  /** What the run record holds besides: usage and cost of requests, counts of filters. */
  record?: Record<string, unknown>;
  /** Lines for the terminal: a table, answers to read. */
  summary?: string;
  /** Folder of the run record, where it is not the one that the settings name. */
  record_folder?: string;
  /** Removes what lets a run that is killed before its record is written find its result. */
  settle?(): Promise<void>;
}

/** Requests that a stage would send to a model, all for one purpose. */
export interface PlannedRequests {
  /** `questions`, `answers`, `judge`. */
  purpose: string;
  model: string;
  requests: number;
  /** Those that an earlier run has paid for; not in `requests`. */
  from_store: number;
  prompt_tokens: number;
  completion_tokens: number;
  /** US dollars; undefined when the model has no price. */
  cost_usd?: number;
  notes: string[];
}

/** What a stage would do. */
export interface StagePlan {
  requests: PlannedRequests[];
  /** Rows of the files that it would write, with stand-ins for what a model would say, so that later stages can plan. */
  files: ReadonlyMap<string, readonly unknown[]>;
}

export interface PlanContext extends StageContext {
  /** Files that stages before this one would write, by path. */
  planned: ReadonlyMap<string, readonly unknown[]>;
}

/**
 * A subcommand of `rag-ft`. The CLI makes flags of the settings' keys (snake_case; kebab-case works too), so the schema is
 * the one declaration of every setting: type, default, description (`.describe`). Values from the command line arrive as
 * strings: use the helpers of `settings.ts`, which coerce.
 */
export interface Stage<Settings> {
  name: string;
  summary: string;
  settings: z.ZodObject<z.ZodRawShape, z.core.$strip> & z.ZodType<Settings>;
  /** Other names of settings, as the reference's commands spell them: `{ model_name_or_path: "model_path" }`. */
  aliases?: Record<string, string>;
  /** Settings that may be given without a flag, in this order: `rag-ft compare A B`. */
  positionals?: readonly (keyof Settings & string)[];
  /** The settings that name input files or folders: `run` skips a stage whose inputs and settings have not changed. */
  inputs: readonly (keyof Settings & string)[];
  /** Is it a share of the work, of which the stage leaves a record of its own? Then no run record is written, and inputs are not hashed: a worker reads its share alone. */
  isShare?(settings: Settings): boolean;
  /** What can be known to fail before the work, such as a folder that cannot be written; `run` asks all stages before the first. Writes nothing. */
  check?(settings: Settings): Promise<void>;
  run(settings: Settings, context: StageContext): Promise<StageResult>;
  /** For stages that ask no model, or not as they are set: rows of the files that it would write, for what is planned after it. Writes nothing. */
  assume?(settings: Settings, context: StageContext): Promise<ReadonlyMap<string, readonly unknown[]>>;
  /** For stages that ask models: what that would take. Sends nothing and writes nothing. */
  plan?(settings: Settings, context: PlanContext): Promise<StagePlan>;
}
