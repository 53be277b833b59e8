import { UserError } from "@rag-ft/core";

export const SCHEDULES = ["cosine", "linear", "constant"] as const;
export type ScheduleName = (typeof SCHEDULES)[number];

export interface Schedule {
  name: ScheduleName;
  /** Learning rate at the peak. */
  lr: number;
  totalSteps: number;
  warmupSteps: number;
}

/** Warm-up steps of a ratio, rounded up as Hugging Face's Trainer does. */
export function warmupSteps(totalSteps: number, ratio: number): number {
  if (ratio < 0 || ratio > 1) throw new UserError(`warmup_ratio is ${ratio}; expected a number from 0 to 1.`);
  return Math.ceil(totalSteps * ratio);
}

/**
 * Learning rate of the step after `done` steps: linear warm-up from 0, then half a cosine (Loshchilov & Hutter 2017), a line,
 * or nothing, down to 0. Equal to Hugging Face's get_*_schedule_with_warmup.
 */
export function learningRate({ name, lr, totalSteps, warmupSteps: warmup }: Schedule, done: number): number {
  if (done < warmup) return (lr * done) / Math.max(1, warmup);
  const progress = (done - warmup) / Math.max(1, totalSteps - warmup);
  if (name === "cosine") return lr * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
  return name === "linear" ? lr * Math.max(0, 1 - progress) : lr;
}
