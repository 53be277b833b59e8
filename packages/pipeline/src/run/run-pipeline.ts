import { resolve } from "node:path";
import {
  CancelledError,
  formatSeconds,
  formatTable,
  isWithin,
  type StageContext,
  throwIfCancelled,
  UserError,
  WaitingError,
} from "@rag-ft/core";
import { hashInputs } from "../input-files.js";
import { behindNames } from "../model-records.js";
import { closestNames } from "../names.js";
import { parseSettings } from "../parse-settings.js";
import { readSettingsFile, settingsBelow } from "../settings-file.js";
import type { StageRegistry } from "../stage-registry.js";
import { ownVersion } from "../versions.js";
import { type PlannedStage, renderPlan } from "./dry-run.js";
import { writeHtmlReport } from "./html-report.js";
import { outputFolders } from "./output-folders.js";
import { type Pipeline, type PipelineStep, readPipeline, selectSteps } from "./pipeline-config.js";
import { renderReport } from "./report.js";
import { readReportData } from "./report-data.js";
import type { RunPipelineContext } from "./run-pipeline-context.js";
import { fingerprintOf, isDone, readRunState } from "./run-state.js";
import { type PreparedStep, runStep, type StepRun, writtenFrom } from "./run-step.js";

export interface RunPipelineOptions {
  only?: string[];
  from?: string;
  force: boolean;
  /** Only plan. */
  dryRun?: boolean;
  set: string[];
}

interface Outcome {
  stage: string;
  result: string;
  time: string;
}

/** Loads every stage and checks every setting before anything runs: a mistake in the last stage must not cost the first. */
async function prepareSteps(pipeline: Pipeline, registry: StageRegistry): Promise<PreparedStep[]> {
  const problems: string[] = [];
  const prepared: PreparedStep[] = [];
  for (const step of pipeline.steps) {
    const entry = registry[step.stage];
    if (!entry) {
      const near = closestNames(step.stage, Object.keys(registry));
      problems.push(
        `${step.place()}: no stage is called ${step.stage}; ${near.length > 0 ? `did you mean ${near.join(" or ")}?` : `expected ${Object.keys(registry).join(", ")}`}`,
      );
      continue;
    }
    const stage = await entry.load();
    const { settingsFile } = step;
    const below = settingsFile && settingsBelow(stage, await readSettingsFile(settingsFile), step.settings);
    const parsed = parseSettings(stage, { ...below, ...step.settings });
    if (parsed.problems) {
      const placeOf = (key: string): string =>
        below && key in below ? `${step.place()}: ${settingsFile}` : step.place(key);
      problems.push(...parsed.problems.map(({ key, message }) => `${placeOf(key)}: ${step.id}.${key}: ${message}`));
    } else prepared.push({ id: step.id, stage, values: parsed.values });
  }
  if (problems.length > 0) {
    throw new UserError(`the settings of ${pipeline.name}:\n${problems.map((line) => `  ${line}`).join("\n")}`);
  }
  return prepared;
}

function chosenIds(steps: readonly PipelineStep[], options: RunPipelineOptions): Set<string> {
  let chosen = [...steps];
  if (options.from !== undefined) {
    const [first] = selectSteps(steps, options.from, "--from");
    chosen = chosen.slice(first === undefined ? 0 : steps.indexOf(first));
  }
  if (options.only !== undefined) {
    const only = new Set(options.only.flatMap((wanted) => selectSteps(steps, wanted, "--only")));
    chosen = chosen.filter((step) => only.has(step));
  }
  return new Set(chosen.map(({ id }) => id));
}

/** Stages after which a run's folder holds what `ask` and `serve` answer from. */
const ANSWERING = new Set(["train-generator", "test-e2e"]);

/** The stage whose folder the error speaks of: of folders in each other, the innermost. */
function makerNamed(makers: readonly PreparedStep[], error: unknown): PreparedStep | undefined {
  if (!(error instanceof Error)) return undefined;
  const named = makers.flatMap((maker) =>
    outputFolders(maker)
      .filter((folder) => error.message.includes(folder))
      .map((folder) => ({ maker, length: folder.length })),
  );
  return named.sort((a, b) => b.length - a.length)[0]?.maker;
}

/** What a stage would ask for; a stage that is done already, nothing. */
async function planStep(
  { steps, index, state, force }: StepRun,
  planned: Map<string, readonly unknown[]>,
  { remade, unforeseen }: { remade: PreparedStep[]; unforeseen: Set<PreparedStep> },
  { reporter, signal, env }: StageContext,
): Promise<PlannedStage | undefined> {
  const step = steps[index];
  if (!step) return undefined;
  const { id, stage, values } = step;
  const inputs = await hashInputs(stage.inputs, values);
  const fingerprint = fingerprintOf(
    ownVersion(),
    stage.name,
    values,
    inputs,
    writtenFrom(steps, index, state),
    await behindNames(values, env),
  );
  // What an earlier stage will write anew is not what lies there now.
  const given = stage.inputs.flatMap((name) => [values[name]].flat()).filter((value) => typeof value === "string");
  const makers = remade.filter((maker) =>
    given.some((path) => outputFolders(maker).some((folder) => isWithin(path, folder) || isWithin(folder, path))),
  );
  if (makers.length === 0 && !force && (await isDone(state.done[id], fingerprint))) return { id, note: "done already" };
  remade.push(step);
  try {
    const files = await stage.assume?.(values, { reporter, signal, env });
    for (const [path, rows] of files ?? []) planned.set(resolve(path), rows);
  } catch (error) {
    // What is missing is said where it is needed.
    if (!(error instanceof UserError)) throw error;
  }
  if (!stage.plan) {
    if (!stage.assume) unforeseen.add(step);
    return { id };
  }
  try {
    const plan = await stage.plan(values, { reporter, signal, env, planned });
    for (const [path, rows] of plan.files) planned.set(resolve(path), rows);
    if (plan.files.size === 0 && !stage.assume) unforeseen.add(step);
    return { id, requests: plan.requests };
  } catch (error) {
    const unplanned = makerNamed(makers, error) ?? makers[0];
    if (!(error instanceof UserError) || !unplanned) throw error;
    // A training's outcome cannot be known; what was to be assumed is a mistake that can be mended.
    if (unforeseen.has(unplanned)) return { id, note: `known when ${unplanned.id} has run` };
    const first = /\bno such\b/.test(error.message)
      ? `\nIf ${unplanned.id} makes what is missing, run it first: --only ${unplanned.id}`
      : "";
    throw new UserError(`${id} cannot be planned: ${error.message}${first}`, { cause: error });
  }
}

/** Runs a configuration's stages in order, each unless it is done already; ends with times and, if asked for, the report. */
export async function runPipeline(
  path: string,
  options: RunPipelineOptions,
  context: RunPipelineContext,
): Promise<void> {
  const pipeline = await readPipeline(path, options.set);
  const chosen = chosenIds(pipeline.steps, options);
  const steps = await prepareSteps(pipeline, context.registry);
  const state = await readRunState(pipeline.workDir);
  const { reporter, signal, env, out } = context;
  if (options.dryRun) {
    const planned = new Map<string, readonly unknown[]>();
    const known = { remade: [], unforeseen: new Set<PreparedStep>() };
    const stages: PlannedStage[] = [];
    for (const [index, { id }] of steps.entries()) {
      const run = { steps, index, state, force: options.force };
      const stage = chosen.has(id) ? await planStep(run, planned, known, context) : { id, note: "left out" };
      if (stage) stages.push(stage);
    }
    out(`${renderPlan(stages)}\n`);
    return;
  }
  for (const { id, stage, values } of steps) if (chosen.has(id)) await stage.check(values);
  const stageContext = { reporter, signal, env };
  const startedAt = Date.now();
  const outcomes: Outcome[] = [];
  for (const [index, { id }] of steps.entries()) {
    if (!chosen.has(id)) {
      outcomes.push({ stage: id, result: "left out", time: "" });
      continue;
    }
    throwIfCancelled(signal);
    try {
      const run = { steps, index, state, force: options.force };
      const { isNew, seconds, summary } = await runStep(run, pipeline.workDir, stageContext);
      if (summary) out(`${summary.trimEnd()}\n`);
      outcomes.push({ stage: id, result: isNew ? "run" : "done already", time: formatSeconds(seconds) });
    } catch (error) {
      const verb = error instanceof WaitingError ? "waits" : error instanceof CancelledError ? "stopped" : "failed";
      reporter.warn(`${id} ${verb}; what was done before it is kept, and the same command goes on from there`);
      throw error;
    }
  }
  outcomes.push({ stage: "total", result: "", time: formatSeconds((Date.now() - startedAt) / 1000) });
  out(
    `\n${pipeline.name}\n${formatTable(
      outcomes.map((outcome) => ({ ...outcome })),
      ["stage", "result", "time"],
    )}\n`,
  );
  // What an earlier run has done is part of the table, though this one began after it.
  const isThere = (id: string): boolean =>
    chosen.has(id) || (options.only === undefined && state.done[id] !== undefined);
  const absent = Object.values(pipeline.report ?? {}).filter((id) => !isThere(id));
  if (pipeline.report && absent.length > 0)
    reporter.info(`no report: ${absent.join(", ")} left out, and not done before`);
  else if (pipeline.report) {
    const folders = new Map(steps.map(({ id, values }) => [id, String(values.output_dir ?? "")]));
    const data = await readReportData(pipeline.report, (id) => folders.get(id) ?? "");
    out(`\n${renderReport(data)}\n`);
  }
  const page = await writeHtmlReport(
    pipeline,
    steps.filter(({ id }) => isThere(id)),
    context,
  );
  if (page !== undefined) out(`\nreport: ${page}\n`);
  if (steps.some(({ id, stage }) => isThere(id) && ANSWERING.has(stage.name))) {
    out(`\nask it:  rag-ft ask "…" --run ${pipeline.workDir}\nchat:    rag-ft serve ${pipeline.workDir}\n`);
  }
}
