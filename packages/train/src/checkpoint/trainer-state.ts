import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  copyFileAtomic,
  DataError,
  describeIssues,
  readTextIfThere,
  writeFileAtomic,
  writeJsonAtomic,
} from "@rag-ft/core";
import { z } from "zod";
import type { OptimizerState } from "../optimizer/adamw.js";
import type { FileTensor, TensorFiles } from "./tensor-files.js";

/** Subfolder of a checkpoint with all that a resumed run needs; a finished run has none. */
export const TRAINER_STATE = "trainer_state";
/** The run's logs so far are kept with the state: what was logged after it is logged again. */
export const LOGS = ["train.jsonl", "eval.jsonl"] as const;

const STATE = "state.json";
const WEIGHTS = "weights.safetensors";
const FIRST = "first_moments.safetensors";
const SECOND = "second_moments.safetensors";

const figures = z.record(z.string(), z.number());
const whole = z.number().int().min(0);

const stateSchema = z.object({
  format: z.literal("rag-ft-trainer-state"),
  version: z.literal(1),
  identity: z.object({ settings: z.record(z.string(), z.unknown()), inputs: z.record(z.string(), z.string()) }),
  /** Steps done, of `steps`. */
  step: whole,
  steps: whole,
  /** Whether the evaluation that is due after `step` has been made. */
  evaluated: z.boolean(),
  /** Step of the best checkpoint so far; 0 is the base. */
  best_step: whole,
  best_figures: figures.optional(),
  base_figures: figures.optional(),
  /** The deciding figure's value for each example of the evaluation. */
  best_values: z.array(z.number()).optional(),
  base_values: z.array(z.number()).optional(),
  /** The base's figures on the test file. */
  base_test: figures.optional(),
  /** The same question by question; checkpoints of earlier versions lack them. */
  base_test_rows: z.array(figures).optional(),
  /** The best deciding figure of the evaluations after training began, and how many of them have come since. */
  patience: z.object({ best: z.number(), since: whole }).optional(),
  /** Sums since the last line of train.jsonl. */
  log: z.object({ loss: z.number(), steps: whole, examples: whole, tokens: whole, milliseconds: z.number() }),
});

/** Where a run stands, but for its tensors. */
export type TrainerState = Omit<z.infer<typeof stateSchema>, "format" | "version">;

export interface TrainerTensors {
  /** What is trained, by name. */
  weights: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>;
  optimizer: OptimizerState;
}

/** Fills `folder`, which must not be seen by others until it is whole. `output` is where the run's logs are. */
export async function writeTrainerState(
  folder: string,
  state: TrainerState,
  { weights, optimizer }: TrainerTensors,
  files: TensorFiles,
  output: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const shaped = (data: (name: string) => Float32Array | undefined): [string, FileTensor][] =>
    [...weights].flatMap(([name, { shape }]) => {
      const found = data(name);
      return found ? [[name, { shape: [...shape], data: found }]] : [];
    });
  await files.write(
    join(folder, WEIGHTS),
    shaped((name) => weights.get(name)?.data),
  );
  await files.write(
    join(folder, FIRST),
    shaped((name) => optimizer.moments.get(name)?.first),
  );
  await files.write(
    join(folder, SECOND),
    shaped((name) => optimizer.moments.get(name)?.second),
  );
  for (const log of LOGS) {
    try {
      await copyFileAtomic(join(output, log), join(folder, log));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      await writeFileAtomic(join(folder, log), "");
    }
  }
  await writeJsonAtomic(join(folder, STATE), { format: "rag-ft-trainer-state", version: 1, ...state });
}

function damaged(path: string, why: string, cause?: unknown): DataError {
  return new DataError(
    `${path}: ${why}. The checkpoint cannot be resumed: delete its folder, or start anew with --resume_from_checkpoint false.`,
    { cause },
  );
}

/**
 * The state of a checkpoint folder without its tensors; undefined when the folder has none.
 *
 * @throws DataError when it is malformed.
 */
export async function readTrainerState(checkpoint: string): Promise<TrainerState | undefined> {
  const path = join(checkpoint, TRAINER_STATE, STATE);
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, "not valid JSON", cause);
  }
  const parsed = stateSchema.safeParse(json);
  if (!parsed.success) throw damaged(path, `not a trainer's state: ${describeIssues(parsed.error)}`, parsed.error);
  return parsed.data;
}

/**
 * Puts the weights of a checkpoint into `weights` and returns the optimizer's state.
 *
 * @throws DataError when a file is malformed or holds other tensors than `weights` asks for.
 */
export async function restoreTensors(
  checkpoint: string,
  state: TrainerState,
  weights: TrainerTensors["weights"],
  files: TensorFiles,
): Promise<OptimizerState> {
  const read = async (name: string): Promise<Map<string, FileTensor>> => {
    const path = join(checkpoint, TRAINER_STATE, name);
    let tensors: Map<string, FileTensor>;
    try {
      tensors = await files.read(path);
    } catch (cause) {
      throw damaged(path, `cannot be read (${(cause as Error).message})`, cause);
    }
    for (const [key, { data }] of tensors) {
      const expected = weights.get(key)?.data.length;
      if (data.length !== expected) {
        throw damaged(path, `${key} has ${data.length} elements, the model's ${expected ?? "no such weight"}`);
      }
    }
    return tensors;
  };
  const saved = await read(WEIGHTS);
  for (const [name, { data }] of weights) {
    const found = saved.get(name);
    if (!found) throw damaged(join(checkpoint, TRAINER_STATE, WEIGHTS), `the weight ${name} is missing`);
    data.set(found.data);
  }
  const first = await read(FIRST);
  const second = await read(SECOND);
  const moments = new Map(
    [...first].map(([name, { data }]) => {
      const other = second.get(name);
      if (!other) throw damaged(join(checkpoint, TRAINER_STATE, SECOND), `the moment of ${name} is missing`);
      return [name, { first: data, second: other.data }];
    }),
  );
  return { step: state.step, moments };
}
