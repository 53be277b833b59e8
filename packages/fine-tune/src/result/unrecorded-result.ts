import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type StageResult, writeJsonAtomic } from "@rag-ft/core";
import { differences, findCheckpoints, type RunIdentity } from "@rag-ft/train";
import { z } from "zod";

/** Lies in the output folder between the end of a training and its run record. */
const FILE = "unrecorded-result.json";

const schema = z.object({
  identity: z.object({ settings: z.record(z.string(), z.unknown()), inputs: z.record(z.string(), z.string()) }),
  result: z.object({
    outputs: z.array(z.string()),
    figures: z.record(z.string(), z.number()).optional(),
    record: z.record(z.string(), z.unknown()).optional(),
    summary: z.string().optional(),
  }),
});

/** Keeps the result of a training that is done but for its run record: a process that is killed in between need not train again. */
export async function keepUnrecorded(
  output: string,
  identity: RunIdentity,
  { outputs, figures, record, summary }: StageResult,
): Promise<void> {
  await writeJsonAtomic(join(output, FILE), { identity, result: { outputs, figures, record, summary } });
}

export async function removeUnrecorded(output: string): Promise<void> {
  await rm(join(output, FILE), { force: true });
}

/**
 * The result of the same training, whose process was killed before the run record was written; undefined where there is none. A run that can
 * still go on from a checkpoint is no such result.
 */
export async function unrecordedResult(output: string, identity: RunIdentity): Promise<StageResult | undefined> {
  const text = await readFile(join(output, FILE), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const { data } = schema.safeParse(JSON.parse(text));
  // As it was written: what is undefined is left out there.
  const now = JSON.parse(JSON.stringify(identity)) as RunIdentity;
  if (!data || differences(data.identity, now).length > 0) return undefined;
  return (await findCheckpoints(output)).length > 0 ? undefined : data.result;
}
