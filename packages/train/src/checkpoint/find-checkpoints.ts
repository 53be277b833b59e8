import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readTrainerState, type TrainerState } from "./trainer-state.js";

/** A checkpoint folder from which a run can go on. */
export interface Checkpoint {
  folder: string;
  step: number;
  /** Undefined when it cannot be read; `problem` then says why. */
  state?: TrainerState;
  problem?: Error;
}

export function checkpointFolder(output: string, step: number): string {
  return join(output, `checkpoint-${step}`);
}

/** The checkpoints of an output folder that hold a trainer's state, by step; none when there is no such folder. */
export async function findCheckpoints(output: string): Promise<Checkpoint[]> {
  const names = await readdir(output).catch(() => []);
  const found: Checkpoint[] = [];
  for (const name of names) {
    const step = /^checkpoint-(\d+)$/.exec(name)?.[1];
    if (step === undefined) continue;
    const folder = join(output, name);
    try {
      const state = await readTrainerState(folder);
      if (state) found.push({ folder, step: state.step, state });
    } catch (problem) {
      found.push({ folder, step: Number(step), problem: problem as Error });
    }
  }
  return found.sort((a, b) => a.step - b.step);
}
