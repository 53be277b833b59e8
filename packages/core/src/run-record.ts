import { writeJsonAtomic } from "./atomic.js";
import { commandLine } from "./command-line.js";

/** A model that a run read, as it was. */
export interface ModelRecord {
  /** As the setting names it. */
  name: string;
  /** Of a model of the hub: the commit. */
  commit?: string;
  /** One hash of all its files. */
  sha256: string;
  /** SHA-256 of each file with weights, as the hub shows it and `sha256sum` gives it. */
  weights: Record<string, string>;
}

/** What a run was: enough to repeat it. Written beside the output as `manifest.<stage>.json`. */
export interface RunRecord {
  /** The stage. */
  command: string;
  /** The same run again, from `working_directory`. */
  command_line?: string;
  working_directory?: string;
  settings: Record<string, unknown>;
  seed?: number;
  /** Path to SHA-256 of each input file, of a folder one of all its files. */
  inputs: Record<string, string>;
  /** Models by setting, those that are folders or come from the hub. A model behind an API can only be named. */
  models?: Record<string, ModelRecord>;
  outputs: string[];
  /** The same for the outputs. */
  output_hashes?: Record<string, string>;
  versions: Record<string, string>;
  /** Environment variables that decide what is asked where, without anything secret. */
  environment?: Record<string, string>;
  machine?: { platform: string; arch: string; cpu: string; cores: number; memory_gb: number };
  started_at: string;
  seconds: number;
  /** What the stage says besides, such as its requests with their tokens and cost. */
  [more: string]: unknown;
}

/** Keys whose values are never written down. */
const SECRET_KEY = /(api_?key|token|secret|password)$/i;

/** Settings without secrets. */
export function withoutSecrets(settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !SECRET_KEY.test(key)));
}

/** Name of a stage's run record beside its outputs. */
export function recordName(stage: string): string {
  return `manifest.${stage}.json`;
}

export async function writeRunRecord(path: string, record: RunRecord): Promise<void> {
  const { command, command_line: _, ...rest } = record;
  const settings = withoutSecrets(record.settings);
  // Made of what is left, so that it cannot carry more than the settings do.
  await writeJsonAtomic(path, { command, command_line: commandLine({ command, settings }), ...rest, settings });
}
