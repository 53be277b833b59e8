import { cp } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { removeFolderAtomic, UserError, writeFolderAtomic } from "@rag-ft/core";
import type { Start } from "./choose-start.js";
import { checkpointFolder } from "./find-checkpoints.js";
import type { TensorFiles } from "./tensor-files.js";
import { TRAINER_STATE, type TrainerState, type TrainerTensors, writeTrainerState } from "./trainer-state.js";

/** Writes a model folder, whole or not at all; `extra` adds files to it before it appears. */
export type SaveModel = (folder: string, extra: (temporary: string) => Promise<void>) => Promise<void>;

interface Kept {
  step: number;
  bestStep: number;
}

/**
 * The checkpoints of a run in its output folder. Each holds the trainer's state; that of the best evaluation is a model folder besides.
 * Each appears whole or not at all, and older ones go only afterwards, so that at every moment the newest is good to go on from.
 */
export class Checkpoints {
  private kept: Kept[];
  private superseded: Start["superseded"];

  constructor(
    private readonly output: string,
    /** How many of the newest are kept, besides the best (`save_total_limit`). */
    private readonly limit: number,
    private readonly files: TensorFiles,
    { own, superseded }: Start,
  ) {
    this.kept = own.flatMap(({ step, state }) => (state ? [{ step, bestStep: state.best_step }] : []));
    this.superseded = superseded;
  }

  /** The newest of this run; undefined when there is none yet. */
  newest(): string | undefined {
    const last = this.kept.at(-1);
    return last && checkpointFolder(this.output, last.step);
  }

  /** Brings the best model of a run that goes on from a checkpoint elsewhere into the output folder. */
  async adopt(from: NonNullable<Start["from"]>): Promise<void> {
    const { best_step: bestStep } = from.state;
    const parent = dirname(resolve(from.folder));
    if (bestStep === 0 || parent === resolve(this.output)) return;
    const source = checkpointFolder(parent, bestStep);
    const target = checkpointFolder(this.output, bestStep);
    try {
      await writeFolderAtomic(target, (temporary) => cp(source, temporary, { recursive: true }));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
      throw new UserError(
        `resume_from_checkpoint: ${from.folder} needs the best checkpoint of its run, ${source}, which is missing. Keep both together.`,
        { cause },
      );
    }
    this.kept.unshift({ step: bestStep, bestStep });
  }

  /** Writes the checkpoint of `state.step`; as a model folder too when `saveModel` is given. */
  async write(state: TrainerState, tensors: TrainerTensors, saveModel?: SaveModel): Promise<string> {
    const folder = checkpointFolder(this.output, state.step);
    const addState = (temporary: string): Promise<void> =>
      writeTrainerState(join(temporary, TRAINER_STATE), state, tensors, this.files, this.output);
    await (saveModel ? saveModel(folder, addState) : writeFolderAtomic(folder, addState));
    this.kept = [
      ...this.kept.filter(({ step }) => step !== state.step),
      { step: state.step, bestStep: state.best_step },
    ];
    await this.removeSuperseded(folder);
    const newest = this.kept.slice(-this.limit);
    const needed = new Set(newest.flatMap(({ step, bestStep }) => [step, bestStep]));
    for (const { step } of this.kept) {
      if (!needed.has(step)) await removeFolderAtomic(checkpointFolder(this.output, step));
    }
    this.kept = this.kept.filter(({ step }) => needed.has(step));
    return folder;
  }

  /** Leaves of all checkpoints the best, as a plain model folder. The newest goes last: until then the run can go on. */
  async finish(bestStep: number): Promise<void> {
    for (const { step } of this.kept) {
      const folder = checkpointFolder(this.output, step);
      await removeFolderAtomic(step === bestStep ? join(folder, TRAINER_STATE) : folder);
    }
    this.kept = [];
  }

  /** Of other runs, models stay: they may be all that is left of them. Only what would be gone on from is removed. */
  private async removeSuperseded(written: string): Promise<void> {
    for (const { folder, sameRun, state } of this.superseded) {
      if (resolve(folder) === resolve(written)) continue;
      const isModel = state === undefined || state.best_step === state.step;
      await removeFolderAtomic(isModel && !sameRun ? join(folder, TRAINER_STATE) : folder);
    }
    this.superseded = [];
  }
}
