import { withoutSecrets } from "@rag-ft/core";
import { ENGINE_SETTINGS } from "../engine-settings.js";
import { IGNORED_SETTINGS } from "../training-settings.js";

/** What makes two runs the same run: one may go on where the other stopped. */
export interface RunIdentity {
  /** The settings that decide the result. */
  settings: Record<string, unknown>;
  /** Hashes of what goes in, by a name for people: `training questions`. */
  inputs: Record<string, string>;
}

/** Settings of every training stage that decide where and how something is written or shown, not what comes out. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "output_dir",
  "index_path",
  "vector_store_url",
  "per_device_eval_batch_size",
  "logging_steps",
  "activation_memory",
  "frozen_memory",
  "save_steps",
  "save_onnx",
  "save_total_limit",
  "resume_from_checkpoint",
  "threads",
  "report_to",
  ...IGNORED_SETTINGS,
  ...ENGINE_SETTINGS,
]);

/** The settings that decide the result. Those named in `inputs` are left out: the contents of a file count, not its place. */
export function decidingSettings(
  settings: Readonly<Record<string, unknown>>,
  inputs: readonly string[],
): Record<string, unknown> {
  const left = new Set([...WITHOUT_EFFECT, ...inputs]);
  return withoutSecrets(Object.fromEntries(Object.entries(settings).filter(([name]) => !left.has(name))));
}

function show(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}

/** What differs, for a message: `learning_rate (0.001, now 0.002)`, `other training questions`; empty when nothing does. */
export function differences(before: RunIdentity, now: RunIdentity): string[] {
  const names = (key: keyof RunIdentity): string[] => [
    ...new Set([...Object.keys(before[key]), ...Object.keys(now[key])]),
  ];
  const settings = names("settings")
    .map((name) => [name, show(before.settings[name]), show(now.settings[name])] as const)
    .filter(([, was, is]) => was !== is)
    .map(([name, was, is]) => `${name} (${was}, now ${is})`);
  const inputs = names("inputs")
    .filter((name) => before.inputs[name] !== now.inputs[name])
    .map((name) => `other ${name}`);
  return [...settings, ...inputs];
}
