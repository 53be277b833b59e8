import { formatSeconds, type StageContext } from "@rag-ft/core";
import type { AnyStage, SettingValues } from "../any-stage.js";
import { executeStage } from "../execute-stage.js";
import { hashInputs } from "../input-files.js";
import { behindNames } from "../model-records.js";
import { ownVersion } from "../versions.js";
import { outputFolders } from "./output-folders.js";
import { fingerprintOf, isDone, type RunState, writeRunState } from "./run-state.js";
import { changedFiles, snapshot } from "./snapshot.js";

export interface PreparedStep {
  id: string;
  stage: AnyStage;
  values: SettingValues;
}

/** What this step and those after it have written, and where they will: none of that is an input of this step. */
export function writtenFrom(steps: readonly PreparedStep[], index: number, state: RunState): string[] {
  return steps
    .slice(index)
    .flatMap((step) => [
      ...(state.done[step.id]?.outputs ?? []),
      ...(state.done[step.id]?.written ?? []),
      ...outputFolders(step),
    ]);
}

/** A step of several, and what is known of them. */
export interface StepRun {
  steps: readonly PreparedStep[];
  index: number;
  state: RunState;
  force: boolean;
}

/** How a step ended. */
export interface StepOutcome {
  isNew: boolean;
  seconds: number;
  /** What the stage has to say, when it was run. */
  summary?: string;
}

/** Runs a step, unless it is done already: same settings, same inputs, and what it wrote is still there. */
export async function runStep(
  { steps, index, state, force }: StepRun,
  workDir: string,
  context: StageContext,
): Promise<StepOutcome> {
  const { reporter } = context;
  const step = steps[index] as PreparedStep;
  const { id, stage, values } = step;
  const header = `[${index + 1}/${steps.length}] ${id}${id === stage.name ? "" : ` (${stage.name})`}`;
  const inputs = await hashInputs(stage.inputs, values);
  const fingerprint = async (): Promise<string> =>
    fingerprintOf(
      ownVersion(),
      stage.name,
      values,
      inputs,
      writtenFrom(steps, index, state),
      await behindNames(values, context.env),
    );
  const earlier = state.done[id];
  if (!force && (await isDone(earlier, await fingerprint()))) {
    reporter.info(`${header}: done already, same settings and inputs`);
    return { isNew: false, seconds: earlier?.seconds ?? 0 };
  }
  reporter.info(header);
  // Until it has finished, a stage that runs again counts as not done, whatever it leaves behind.
  delete state.done[id];
  await writeRunState(workDir, state);
  const before = await snapshot(outputFolders(step));
  const { result, seconds } = await executeStage(stage, values, context, inputs);
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
  state.done[id] = { ...done, fingerprint: await fingerprint() };
  await writeRunState(workDir, state);
  await result.settle?.();
  reporter.info(`${header}: ${formatSeconds(seconds)}`);
  return { isNew: true, seconds, ...(result.summary ? { summary: result.summary } : {}) };
}
