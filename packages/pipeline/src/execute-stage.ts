import { dirname, join } from "node:path";
import { recordName, type StageContext, type StageResult, writeRunRecord } from "@rag-ft/core";
import type { AnyStage, SettingValues } from "./any-stage.js";
import { hashInputs, hashRoots, type InputFile, isRecord, summariseInputs } from "./input-files.js";
import { machine, recordedEnvironment } from "./machine.js";
import { modelRecords } from "./model-records.js";
import { versions } from "./versions.js";

export interface ExecutedStage {
  result: StageResult;
  /** As they were when the stage began. */
  inputs: InputFile[];
  seconds: number;
}

/** The folder a stage writes to. */
function outputFolder(values: SettingValues, outputs: readonly string[]): string | undefined {
  for (const key of ["save_dir", "output_dir"]) {
    const value = values[key];
    if (typeof value === "string" && value !== "") return value;
  }
  const [first] = outputs;
  return first === undefined ? undefined : dirname(first);
}

/**
 * Runs a stage and leaves a run record beside its outputs, unless the stage has written one. The caller calls `settle` of the result, once it has
 * written down that the stage has run.
 */
export async function executeStage(
  stage: AnyStage,
  values: SettingValues,
  context: StageContext,
  knownInputs?: InputFile[],
): Promise<ExecutedStage> {
  await stage.check(values);
  const startedAt = new Date();
  const isShare = stage.isShare(values);
  const inputs = knownInputs ?? (isShare ? [] : await hashInputs(stage.inputs, values));
  const result = await stage.run(values, { ...context, records: true });
  const seconds = (Date.now() - startedAt.getTime()) / 1000;
  const folder = result.record_folder ?? outputFolder(values, result.outputs);
  if (folder !== undefined && !isShare && !result.outputs.some(isRecord)) {
    const settings = { ...values, ...result.found_settings };
    await writeRunRecord(join(folder, recordName(stage.name)), {
      command: stage.name,
      working_directory: process.cwd(),
      settings,
      ...(typeof values.seed === "number" ? { seed: values.seed } : {}),
      inputs: summariseInputs(inputs),
      models: await modelRecords(settings, inputs, context.env),
      outputs: result.outputs,
      output_hashes: summariseInputs(await hashRoots(result.outputs)),
      versions: versions(),
      environment: recordedEnvironment(context.env),
      machine: machine(),
      started_at: startedAt.toISOString(),
      seconds,
      ...result.record,
    });
  }
  return { result, inputs, seconds };
}
