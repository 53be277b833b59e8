import { DataError } from "@rag-ft/core";
import { hostMemory, type TensorMemory } from "@rag-ft/onnx";
import type { TrainingSettings } from "../training-settings.js";
import { AdamW, defaultAdamW, type OptimizerState, type Parameter } from "./adamw.js";
import { clipFactor, type GradientSums } from "./gradients.js";
import { learningRate, type Schedule, warmupSteps } from "./schedule.js";
import { type SumArithmetic, sumArithmetic } from "./sum-arithmetic.js";

/** Steps of a run: max_steps, or the epochs' worth of batches. */
export function totalSteps(settings: TrainingSettings, examples: number): number {
  if (settings.max_steps > 0) return settings.max_steps;
  const perStep = settings.per_device_train_batch_size * settings.gradient_accumulation_steps;
  return Math.max(1, Math.ceil(Math.ceil(examples / perStep) * settings.num_train_epochs));
}

/** AdamW with clipping and a learning-rate schedule. */
export class OptimizerLoop {
  private readonly adamw: AdamW;
  private readonly schedule: Schedule;
  private readonly sums: SumArithmetic;

  /** @param memory Where parameters and gradients stand between runs. */
  constructor(
    private readonly settings: TrainingSettings,
    steps: number,
    memory: TensorMemory = hostMemory,
  ) {
    const { weight_decay: weightDecay, threads } = settings;
    this.adamw = new AdamW({ ...defaultAdamW, weightDecay }, { threads }, memory);
    this.sums = sumArithmetic(memory);
    this.schedule = {
      name: settings.lr_scheduler_type,
      lr: settings.learning_rate,
      totalSteps: steps,
      warmupSteps: warmupSteps(steps, settings.warmup_ratio),
    };
  }

  /** The optimizer's state; the schedule follows from its step. */
  state(): OptimizerState {
    return this.adamw.state();
  }

  /** Goes on from a state, whose arrays it takes over. */
  restore(state: OptimizerState): void {
    this.adamw.restore(state);
  }

  /**
   * Clips, steps and zeroes the gradients. Returns what a log wants to know.
   *
   * @param describe What the step was made of, for the message when it fails.
   * @throws DataError when the gradients are not finite; the parameters are left as they were.
   */
  async step(
    parameters: Iterable<Parameter>,
    gradients: GradientSums,
    describe: () => string = () => "Nothing of this step was kept.",
  ): Promise<{ lr: number; gradNorm: number }> {
    const gradNorm = await this.sums.norm(gradients);
    const step = this.adamw.step + 1;
    if (!Number.isFinite(gradNorm)) {
      throw new DataError(
        `Step ${step}: the gradients are not finite (norm ${gradNorm}). Lower learning_rate, or raise temperature. ${describe()}`,
      );
    }
    const lr = learningRate(this.schedule, this.adamw.step);
    await this.adamw.update(parameters, gradients, lr, clipFactor(gradNorm, this.settings.max_grad_norm));
    await this.sums.clear(gradients);
    return { lr, gradNorm };
  }

  async close(): Promise<void> {
    await this.adamw.close();
    await this.sums.close();
  }
}

/** Largest resident memory of the process so far, in MB. */
export function peakRssMb(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
