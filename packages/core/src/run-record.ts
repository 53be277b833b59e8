import { writeJsonAtomic } from "./atomic.js";

/** What a run was: enough to repeat it. Written beside the output as `manifest.json`. */
export interface RunRecord {
  command: string;
  settings: Record<string, unknown>;
  /** Path to SHA-256 of each input file. */
  inputs: Record<string, string>;
  outputs: string[];
  versions: Record<string, string>;
  started_at: string;
  seconds: number;
  /** What the stage says besides, such as its requests. */
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
  await writeJsonAtomic(path, { ...record, settings: withoutSecrets(record.settings) });
}
