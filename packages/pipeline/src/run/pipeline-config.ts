import { join } from "node:path";
import { UserError, withHome } from "@rag-ft/core";
import { z } from "zod";
import { closestNames } from "../names.js";
import { readYaml, type YamlFile } from "../settings-file.js";
import { substitute, UnknownVariable } from "./substitute.js";

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const reportSchema = z.strictObject({
  /** Id of a train-retriever stage. */
  retriever: z.string().optional(),
  /** Ids of the two test-e2e stages. */
  base: z.string().optional(),
  tuned: z.string().optional(),
  /** Whether an HTML report is written, or where; `<work_dir>/report.html` unless told otherwise. */
  html: z.union([z.boolean(), z.string().min(1)]).optional(),
});

const configSchema = z.strictObject({
  name: z.string().min(1),
  work_dir: z.string().min(1),
  vars: z.record(z.string(), scalar).default({}),
  stages: z
    .array(
      z.strictObject({
        stage: z.string(),
        id: z
          .string()
          .regex(/^[\w-]+$/, "an id is made of letters, digits, - and _")
          .optional(),
        /** A YAML file of settings, as the flag `--settings` takes; `with` goes before it. */
        settings: z.string().min(1).optional(),
        with: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .min(1),
  report: reportSchema.optional(),
});

/** Ids of the stages whose figures are shown at the end. */
export type ReportConfig = Omit<z.infer<typeof reportSchema>, "html">;

/** One stage of a pipeline, its settings as written, variables put in. */
export interface PipelineStep {
  id: string;
  stage: string;
  settings: Record<string, unknown>;
  /** A file of more settings, which those above go before. */
  settingsFile?: string;
  /** `file:line` of a setting, or of the step; `--set` for one that was overridden. */
  place: (key?: string) => string;
}

export interface Pipeline {
  name: string;
  workDir: string;
  steps: PipelineStep[];
  report?: ReportConfig;
  /** Where the HTML report goes; undefined: none is wanted. */
  htmlReport?: string;
}

interface Override {
  target: string;
  key: string;
  value: string;
}

function parseOverride(text: string): Override {
  const match = /^([\w-]+)\.([\w-]+)=([\s\S]*)$/.exec(text);
  if (match) return { target: match[1] ?? "", key: match[2] ?? "", value: match[3] ?? "" };
  const workDir = /^work_dir=([\s\S]+)$/.exec(text);
  if (workDir) return { target: "work_dir", key: "", value: workDir[1] ?? "" };
  throw new UserError(
    `--set ${text}: expected <stage>.<key>=<value>, vars.<name>=<value> or work_dir=<folder>, such as --set prepare-docs.chunk_size=128.`,
  );
}

/** Later variables may use earlier ones, and all may use `work_dir`. */
function resolveVariables(
  file: YamlFile,
  workDir: string,
  vars: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const resolved: Record<string, unknown> = { work_dir: workDir };
  for (const [name, value] of Object.entries(vars)) {
    resolved[name] = substituted(file, value, resolved, ["vars", name]);
  }
  return resolved;
}

function substituted(
  file: YamlFile,
  value: unknown,
  variables: Readonly<Record<string, unknown>>,
  base: (string | number)[],
): unknown {
  try {
    return substitute(value, variables);
  } catch (error) {
    if (!(error instanceof UnknownVariable)) throw error;
    const known = Object.keys(variables)
      .map((name) => `\${${name}}`)
      .join(", ");
    throw new UserError(
      `${file.place([...base, ...error.keys])}: ${[...base, ...error.keys].join(".")}: ${error.message}. Defined: ${known}.`,
    );
  }
}

/** Checks a configuration, puts `--set` and variables in. Every problem of the file's form is named at once. */
export function parsePipeline(file: YamlFile, sets: readonly string[] = []): Pipeline {
  const parsed = configSchema.safeParse(file.value);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const keys = issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
      return `  ${file.place(keys)}: ${keys.join(".") || "the file"}: ${issue.message}`;
    });
    throw new UserError(
      `${file.path} is not a run configuration (name, work_dir, vars, stages, report):\n${lines.join("\n")}`,
    );
  }
  const config = parsed.data;
  const overrides = sets.map(parseOverride);
  const vars: Record<string, unknown> = { ...config.vars };
  let workDir = config.work_dir;
  for (const { target, key, value } of overrides) {
    if (target === "vars") vars[key] = value;
    if (target === "work_dir") workDir = value;
  }
  workDir = withHome(workDir);
  const variables = resolveVariables(file, workDir, vars);

  const steps = config.stages.map((entry, index): PipelineStep => {
    const given = substituted(file, entry.with ?? {}, variables, ["stages", index, "with"]);
    // Beside the stage's name, or among its settings, as the flag is.
    const { settings: inner, ...settings } = given as Record<string, unknown>;
    const named = inner ?? substituted(file, entry.settings, variables, ["stages", index, "settings"]);
    if (named !== undefined && typeof named !== "string")
      throw new UserError(
        `${file.place(["stages", index, "with", "settings"])}: settings: expected a YAML file's name.`,
      );
    return {
      id: entry.id ?? entry.stage,
      stage: entry.stage,
      settings,
      ...(named === undefined ? {} : { settingsFile: named }),
      place: (key) => file.place(key === undefined ? ["stages", index] : ["stages", index, "with", key]),
    };
  });
  for (const [index, step] of steps.entries()) {
    const earlier = steps.findIndex(({ id }) => id === step.id);
    if (earlier < index) {
      throw new UserError(
        `${step.place()}: two stages have the id ${step.id} (the other: ${steps[earlier]?.place()}). Give this one an id of its own (id: …).`,
      );
    }
  }
  for (const { target, key, value } of overrides) {
    if (target === "vars" || target === "work_dir") continue;
    for (const step of selectSteps(steps, target, "--set")) {
      step.settings[key] = value;
      const { place } = step;
      step.place = (wanted) => (wanted === key ? "--set" : place(wanted));
    }
  }
  const { html = true, ...report } = config.report ?? {};
  for (const [key, id] of Object.entries(report)) {
    if (!steps.some((step) => step.id === id)) {
      throw new UserError(`${file.place(["report", key])}: report.${key}: no stage has the id ${id}.`);
    }
  }
  const htmlReport = typeof html === "string" ? html : html ? join(workDir, "report.html") : undefined;
  return { name: config.name, workDir, steps, htmlReport, ...(config.report ? { report } : {}) };
}

/** The steps that an id, or else a stage's name, stands for; at least one. */
export function selectSteps(steps: readonly PipelineStep[], wanted: string, option: string): PipelineStep[] {
  const byId = steps.filter(({ id }) => id === wanted);
  const found = byId.length > 0 ? byId : steps.filter(({ stage }) => stage === wanted);
  if (found.length === 0) {
    const ids = steps.map(({ id }) => id);
    const near = closestNames(wanted, ids);
    throw new UserError(
      `${option}: no stage is called ${JSON.stringify(wanted)}.${near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : ""} Stages: ${ids.join(", ")}.`,
    );
  }
  return found;
}

export async function readPipeline(path: string, sets: readonly string[] = []): Promise<Pipeline> {
  return parsePipeline(await readYaml(path, "a run configuration, YAML"), sets);
}
