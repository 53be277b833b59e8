import { resolve } from "node:path";
import { CancelledError, formatSeconds, formatTable, type Reporter, throwIfCancelled, UserError } from "@rag-ft/core";
import type { AnyStage, SettingValues } from "../any-stage.js";
import { executeStage } from "../execute-stage.js";
import { hashInputs } from "../input-files.js";
import type { Io } from "../io.js";
import { closestNames } from "../names.js";
import { parseSettings } from "../parse-settings.js";
import type { StageRegistry } from "../registry.js";
import { ownVersion } from "../versions.js";
import { type PlannedStage, renderPlan } from "./dry-run.js";
import { writeHtmlReport } from "./html-report.js";
import { outputFolders } from "./output-folders.js";
import { type Pipeline, type PipelineStep, readPipeline, selectSteps } from "./pipeline-config.js";
import { renderReport } from "./report.js";
import { readReportData } from "./report-data.js";
import { fingerprintOf, isDone, type RunState, readRunState, writeRunState } from "./run-state.js";
import { changedFiles, snapshot } from "./snapshot.js";

export interface RunPipelineOptions {
  only?: string[];
  from?: string;
  force: boolean;
  /** Only plan. */
  dryRun?: boolean;
  set: string[];
}

export interface RunPipelineContext {
  io: Io;
  registry: StageRegistry;
  signal: AbortSignal;
}

export interface PreparedStep {
  id: string;
  stage: AnyStage;
  values: SettingValues;
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
    const parsed = parseSettings(stage, step.settings);
    if (parsed.problems) {
      problems.push(...parsed.problems.map(({ key, message }) => `${step.place(key)}: ${step.id}.${key}: ${message}`));
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

/** What this step and those after it have written, and where they will: none of that is an input of this step. */
function writtenFrom(steps: readonly PreparedStep[], index: number, state: RunState): string[] {
  return steps
    .slice(index)
    .flatMap((step) => [
      ...(state.done[step.id]?.outputs ?? []),
      ...(state.done[step.id]?.written ?? []),
      ...outputFolders(step),
    ]);
}

interface StepRun {
  steps: readonly PreparedStep[];
  index: number;
  state: RunState;
  force: boolean;
}

async function runStep(
  { steps, index, state, force }: StepRun,
  workDir: string,
  reporter: Reporter,
  { io, signal }: RunPipelineContext,
): Promise<Outcome | undefined> {
  const step = steps[index];
  if (!step) return undefined;
  const { id, stage, values } = step;
  const header = `[${index + 1}/${steps.length}] ${id}${id === stage.name ? "" : ` (${stage.name})`}`;
  const inputs = await hashInputs(stage.inputs, values);
  const fingerprint = (): string =>
    fingerprintOf(ownVersion(), stage.name, values, inputs, writtenFrom(steps, index, state));
  const earlier = state.done[id];
  if (!force && (await isDone(earlier, fingerprint()))) {
    reporter.info(`${header}: done already, same settings and inputs`);
    return { stage: id, result: "done already", time: formatSeconds(earlier?.seconds ?? 0) };
  }
  reporter.info(header);
  // Until it has finished, a stage that runs again counts as not done, whatever it leaves behind.
  delete state.done[id];
  await writeRunState(workDir, state);
  const before = await snapshot(outputFolders(step));
  const { result, seconds } = await executeStage(stage, values, { reporter, signal, env: io.env }, inputs);
  if (result.summary) io.out(`${result.summary.trimEnd()}\n`);
  const changed = changedFiles(before, await snapshot(outputFolders(step)));
  const done = {
    stage: stage.name,
    outputs: result.outputs,
    written: [...new Set([...(earlier?.written ?? []), ...changed])].sort(),
    seconds,
    finished_at: new Date().toISOString(),
  };
  state.done[id] = { ...done, fingerprint: "" };
  // Only now is it known what the stage has written, and so what of its input folders was input.
  state.done[id] = { ...done, fingerprint: fingerprint() };
  await writeRunState(workDir, state);
  reporter.info(`${header}: ${formatSeconds(seconds)}`);
  return { stage: id, result: "run", time: formatSeconds(seconds) };
}

/** What a stage would ask for; a stage that is done already, nothing. */
async function planStep(
  { steps, index, state, force }: StepRun,
  planned: Map<string, readonly unknown[]>,
  reporter: Reporter,
  { io, signal }: RunPipelineContext,
): Promise<PlannedStage | undefined> {
  const step = steps[index];
  if (!step) return undefined;
  const { id, stage, values } = step;
  const inputs = await hashInputs(stage.inputs, values);
  const fingerprint = fingerprintOf(ownVersion(), stage.name, values, inputs, writtenFrom(steps, index, state));
  if (!force && (await isDone(state.done[id], fingerprint))) return { id, note: "done already" };
  if (!stage.plan) return { id };
  try {
    const plan = await stage.plan(values, { reporter, signal, env: io.env, planned });
    for (const [path, rows] of plan.files) planned.set(resolve(path), rows);
    return { id, requests: plan.requests };
  } catch (error) {
    const unplanned = steps.slice(0, index).find((earlier) => !earlier.stage.plan && !state.done[earlier.id]);
    if (!(error instanceof UserError) || !unplanned) throw error;
    throw new UserError(
      `${id} cannot be planned: ${error.message}\nIf ${unplanned.id}, which asks no model and costs nothing, makes what is missing, run it first: --only ${unplanned.id}`,
      { cause: error },
    );
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
  const reporter = await context.io.reporter();
  if (options.dryRun) {
    const planned = new Map<string, readonly unknown[]>();
    const stages: PlannedStage[] = [];
    for (const [index, { id }] of steps.entries()) {
      const run = { steps, index, state, force: options.force };
      const stage = chosen.has(id) ? await planStep(run, planned, reporter, context) : { id, note: "left out" };
      if (stage) stages.push(stage);
    }
    context.io.out(`${renderPlan(stages)}\n`);
    return;
  }
  const startedAt = Date.now();
  const outcomes: Outcome[] = [];
  for (const [index, { id }] of steps.entries()) {
    if (!chosen.has(id)) {
      outcomes.push({ stage: id, result: "left out", time: "" });
      continue;
    }
    throwIfCancelled(context.signal);
    try {
      const run = { steps, index, state, force: options.force };
      const outcome = await runStep(run, pipeline.workDir, reporter, context);
      if (outcome) outcomes.push(outcome);
    } catch (error) {
      const verb = error instanceof CancelledError ? "stopped" : "failed";
      reporter.warn(`${id} ${verb}; what was done before it is kept, and the same command goes on from there`);
      throw error;
    }
  }
  outcomes.push({ stage: "total", result: "", time: formatSeconds((Date.now() - startedAt) / 1000) });
  context.io.out(
    `\n${pipeline.name}\n${formatTable(
      outcomes.map((outcome) => ({ ...outcome })),
      ["stage", "result", "time"],
    )}\n`,
  );
  const absent = Object.values(pipeline.report ?? {}).filter((id) => !chosen.has(id));
  if (pipeline.report && absent.length > 0) reporter.info(`no report: ${absent.join(", ")} left out`);
  else if (pipeline.report) {
    const folders = new Map(steps.map(({ id, values }) => [id, String(values.output_dir ?? "")]));
    const data = await readReportData(pipeline.report, (id) => folders.get(id) ?? "");
    context.io.out(`\n${renderReport(data)}\n`);
  }
  const page = await writeHtmlReport(
    pipeline,
    steps.filter(({ id }) => chosen.has(id)),
    { ...context, reporter },
  );
  if (page !== undefined) context.io.out(`\nreport: ${page}\n`);
}
