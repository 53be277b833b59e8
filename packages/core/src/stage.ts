import type { z } from "zod";
import type { Reporter } from "./progress.js";

/** What a stage is given besides its settings. */
export interface StageContext {
  reporter: Reporter;
  /** Aborted on Ctrl-C: a stage stops at the next safe point and throws `CancelledError`. */
  signal: AbortSignal;
  /** Environment variables (`OPENAI_API_KEY`, `OPENAI_BASE_URL`, `HF_TOKEN`, …); `process.env` outside tests. */
  env: Readonly<Record<string, string | undefined>>;
}

/** What a finished stage says of itself. */
export interface StageResult {
  /** Files and folders written. */
  outputs: string[];
  /** Headline figures, by name. */
  figures?: Record<string, number>;
  /** What the run record holds besides: usage and cost of requests, counts of filters. */
  record?: Record<string, unknown>;
  /** Lines for the terminal: a table, answers to read. */
  summary?: string;
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
  /** The settings that name input files or folders: `run` skips a stage whose inputs and settings have not changed. */
  inputs: readonly (keyof Settings & string)[];
  run(settings: Settings, context: StageContext): Promise<StageResult>;
}
