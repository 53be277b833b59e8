import { count, UserError } from "@rag-ft/core";
import { z } from "zod";

/** Programs that train. */
export type EngineName = "local" | "trl" | "sentence-transformers";

/** What a job of another engine is given besides the settings of training. */
const JOB_FIELDS = {
  engine_dir: z
    .string()
    .min(1)
    .optional()
    .describe("Another engine's folder: data, configuration and run.sh go there; default: engine in output_dir"),
  engine_python: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Python that has the engine, such as .venv/bin/python: the job then runs here at once; default: python3, where it has the engine in the versions that are pinned; none: the job is only written",
    ),
  nproc_per_node: count(1).default(1).describe("Another engine's processes on each machine, one a GPU (torchrun)"),
  nnodes: count(1).default(1).describe("Another engine's machines (torchrun)"),
  master_port: count(1).optional().describe("Port of another engine's first process (torchrun); default 29500"),
  accelerators: z
    .string()
    .min(1)
    .optional()
    .describe("GPUs of each machine in the SkyPilot task, such as A100:8; default: H100 and nproc_per_node"),
};

/** Settings by which a stage hands its training to one of `engines`. */
export function engineSettings<const Names extends readonly EngineName[]>(
  ...engines: Names
): typeof JOB_FIELDS & { engine: z.ZodDefault<z.ZodEnum<{ [Name in "local" | Names[number]]: Name }>> } {
  const names = z.enum(["local", ...engines]) as z.ZodEnum<{ [Name in "local" | Names[number]]: Name }>;
  const engine = names
    .default("local" as never)
    .describe(
      `What trains: local, in this process; ${engines.join(", ")}: a program of Python, on any number of machines, to which data and configuration are handed (docs/scaling.md)`,
    );
  return { engine, ...JOB_FIELDS };
}

const fieldsSchema = z.object(JOB_FIELDS);
export type EngineSettings = z.infer<typeof fieldsSchema> & { engine: EngineName };

/** Their names. They decide nothing of a training in this process. */
export const ENGINE_SETTINGS: readonly string[] = ["engine", ...Object.keys(JOB_FIELDS)];

/** Those given that say something to another engine alone; `engine` is local. */
export function engineSettingsWithoutEffect(settings: Partial<EngineSettings>): string[] {
  if (settings.engine !== "local") return [];
  const { nproc_per_node = 1, nnodes = 1 } = settings;
  return [
    ...(nproc_per_node > 1 ? ["nproc_per_node"] : []),
    ...(nnodes > 1 ? ["nnodes"] : []),
    ...(["engine_dir", "engine_python", "master_port", "accelerators"] as const).filter(
      (name) => settings[name] !== undefined,
    ),
  ];
}

/** @throws UserError when an engine would be given a setting that it has no means for. */
export function refuseSettings(engine: EngineName, given: Readonly<Record<string, boolean>>): void {
  const refused = Object.entries(given).flatMap(([name, isGiven]) => (isGiven ? [name] : []));
  if (refused.length === 0) return;
  throw new UserError(
    `engine ${engine} has no ${refused.join(", no ")}. Leave ${refused.length > 1 ? "them" : "it"} out, or train with engine local.`,
  );
}
