import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  readJsonIfThere,
  type StageContext,
  type StageResult,
  UserError,
  WaitingError,
  withFolderLock,
  writeJsonAtomic,
  writeJsonl,
} from "@rag-ft/core";
import { IMPORTED_FILE } from "@rag-ft/fine-tune";
import { differences, type EngineSettings, type TrainingSettings } from "@rag-ft/train";
import { z } from "zod";
import { JOB_FILE, type Job, readJob } from "./job/job-file.js";
import { type JobPlan, jobId, writeJob } from "./job/write-job.js";
import { type EngineResult, jobState, readResult } from "./result/read-result.js";
import { pythonAtHand, runJob } from "./run-job.js";

type Settings = TrainingSettings & EngineSettings;

/** What a stage does of a training by another engine; in between everything is the same for all. */
export interface ElsewhereTask {
  /** All that is handed over; what takes long to find, such as retrieved passages, was found. */
  plan: JobPlan;
  /** Makes what came back, which is whole and of this job, the model of `output_dir`, with what the stage says of it. */
  adopt(result: EngineResult): Promise<StageResult>;
  /** A line of the engine's log in the words of eval.jsonl; undefined of a line that is no evaluation. */
  evaluation(line: Readonly<Record<string, unknown>>): Record<string, number> | undefined;
}

const importedSchema = z.object({
  job: z.string(),
  engine: z.string(),
  versions: z.record(z.string(), z.string()),
  result: z.object({
    outputs: z.array(z.string()),
    figures: z.record(z.string(), z.number()).optional(),
    record: z.record(z.string(), z.unknown()).optional(),
    summary: z.string().optional(),
  }),
});

/** Where a stage's job lies. */
export function engineFolder({ engine_dir, output_dir }: Pick<Settings, "engine_dir" | "output_dir">): string {
  return engine_dir ?? join(output_dir, "engine");
}

/**
 * A training by another engine, as far as it can go now.
 *
 * 1. `prepare`: the stage makes the data; job and inputs have one hash. The same job imported already: nothing is left to do.
 * 2. Write the job's folder, unless it holds this job.
 * 3. Run it, where Python with the engine is at hand; else stop, and say how to go on.
 * 4. Check what came back, file by file; the stage makes it its model. Only then `imported.json` says that it is done.
 *
 * `context.engineStep` asks for 2 alone, or for 4 alone.
 *
 * @throws WaitingError when the job has to run elsewhere first; DataError when its result is not whole or not this job's.
 */
export function trainElsewhere(
  settings: Settings,
  context: StageContext,
  prepare: (held: StageContext) => Promise<ElsewhereTask>,
): Promise<StageResult> {
  return withFolderLock(settings.output_dir, (signal) => step(settings, { ...context, signal }, prepare), context);
}

async function step(
  settings: Settings,
  context: StageContext,
  prepare: (held: StageContext) => Promise<ElsewhereTask>,
): Promise<StageResult> {
  const { engineStep, reporter } = context;
  const folder = engineFolder(settings);
  const given = engineStep?.kind === "import" ? engineStep.result : undefined;
  const task = await prepare(context);
  const id = jobId(task.plan.identity);
  const done = engineStep?.kind === "export" ? undefined : await importedBefore(settings.output_dir, id);
  if (done) {
    reporter.info(`${settings.output_dir}: holds the result of this job already`);
    return done;
  }
  const job =
    engineStep?.kind === "import" ? await requireJob(folder, task.plan) : await ensureJob(folder, task.plan, context);
  if (engineStep?.kind === "export") return exported(folder, job);
  const state = await jobState(folder, given);
  if (state.kind !== "ended") {
    if (engineStep?.kind === "import") throw notEnded(folder, given, state);
    await runHere(settings, folder, task.plan, context);
  }
  const result = await readResult(job, folder, given);
  // From here on until all is written, the folder is not what it was.
  await rm(join(settings.output_dir, IMPORTED_FILE), { force: true });
  const adopted = await task.adopt(result);
  await writeLogs(settings.output_dir, task, result);
  const { outputs, figures, summary } = adopted;
  const record = { ...adopted.record, engine: { name: job.engine, job: id, versions: result.versions } };
  const whole = { outputs, record, ...(figures ? { figures } : {}), ...(summary === undefined ? {} : { summary }) };
  await writeJsonAtomic(join(settings.output_dir, IMPORTED_FILE), {
    ...{ job: id, engine: job.engine, versions: result.versions, result: whole },
  });
  return whole;
}

async function importedBefore(output: string, id: string): Promise<StageResult | undefined> {
  const path = join(output, IMPORTED_FILE);
  const kept = await readJsonIfThere(path, importedSchema, "not the record of an import. Delete it, and import again.");
  if (kept?.job !== id) return undefined;
  const { outputs, figures, record, summary } = kept.result;
  return { outputs, ...(figures ? { figures } : {}), ...(record ? { record } : {}), ...(summary ? { summary } : {}) };
}

async function requireJob(folder: string, plan: JobPlan): Promise<Job> {
  const job = await readJob(folder);
  if (job === undefined)
    throw new UserError(`${join(folder, JOB_FILE)} is missing: ${folder} is no folder of rag-ft export.`);
  // As it was written: what is undefined is left out there.
  const changed = differences(job.identity, JSON.parse(JSON.stringify(plan.identity)));
  if (job.id === jobId(plan.identity)) return job;
  throw new UserError(
    `${folder}: the job is not of these settings and inputs: ${changed.join(", ")}. Put them back as they were, or export again and train anew.`,
  );
}

async function ensureJob(folder: string, plan: JobPlan, { reporter }: StageContext): Promise<Job> {
  const there = await readJob(folder).catch(() => undefined);
  if (there?.id !== jobId(plan.identity)) {
    const { movedTo } = await writeJob(folder, plan);
    if (movedTo !== undefined) reporter.info(`${folder}: held the result of another job, which is now ${movedTo}`);
    reporter.info(`${folder}: data and configuration for ${plan.engine}, ${plan.steps} steps`);
  }
  const job = await readJob(folder);
  if (job === undefined) throw new UserError(`${join(folder, JOB_FILE)} is gone: another program removed it.`);
  return job;
}

function exported(folder: string, { engine, stage, id }: Job): StageResult {
  const summary = `${folder}: job ${id} for ${engine}. Next: bash ${join(folder, "run.sh")} on a machine with its requirements.txt, bring result back, then rag-ft import ${folder}`;
  return { outputs: [folder], summary, record: { exported_stage: stage }, record_folder: folder };
}

const HOW = (folder: string): string =>
  `Copy ${folder} to a machine with GPUs and run its run.sh (or sky launch sky.yaml), bring its result back, then: rag-ft import ${folder}. The same command goes on from there.`;

function notEnded(
  folder: string,
  given: string | undefined,
  state: { kind: "none" | "failed"; why?: string | undefined },
): WaitingError {
  if (state.kind === "failed")
    return new WaitingError(
      `${folder}: the job has not ended${state.why === undefined ? "" : `: ${state.why}`}. What it printed is in ${join(folder, "run.log")}; run run.sh again: it goes on from its last checkpoint.`,
    );
  return new WaitingError(
    `${given ?? join(folder, "result")} holds no result.json: nothing has come back yet. ${HOW(folder)}`,
  );
}

/** @throws WaitingError when the job cannot run here, or ends before it is done. */
async function runHere(settings: Settings, folder: string, plan: JobPlan, context: StageContext): Promise<void> {
  const found = await pythonAtHand(settings, plan.packages, context.env);
  if (found.python === undefined)
    throw new WaitingError(`${plan.engine} is not at hand (${found.why}). The job is in ${folder}. ${HOW(folder)}`);
  context.reporter.info(`${folder}: run.sh by ${found.python}`);
  if (await runJob(folder, found.python, context)) return;
  const state = await jobState(folder);
  throw notEnded(folder, undefined, state.kind === "failed" ? state : { kind: "failed" });
}

const LOSS = z.looseObject({
  step: z.number(),
  loss: z.number(),
  learning_rate: z.number().optional(),
  grad_norm: z.number().optional(),
});

/** train.jsonl and eval.jsonl, as the local engine writes them, from the engine's own log. */
async function writeLogs(output: string, task: ElsewhereTask, { log }: EngineResult): Promise<void> {
  const steps = log.flatMap((line) => {
    const { data } = LOSS.safeParse(line);
    return data ? [{ step: data.step, loss: data.loss, lr: data.learning_rate, grad_norm: data.grad_norm }] : [];
  });
  await writeJsonl(join(output, "train.jsonl"), steps);
  const evaluations = log.flatMap((line) => {
    const figures = task.evaluation(line);
    return figures ? [{ step: line.step, ...figures }] : [];
  });
  if (evaluations.length > 0) await writeJsonl(join(output, "eval.jsonl"), evaluations);
  else await rm(join(output, "eval.jsonl"), { force: true });
}
