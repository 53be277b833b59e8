import { formatSeconds, type StageContext, throwIfCancelled } from "@rag-ft/core";
import { type RunState, readRunState } from "../run/run-state.js";
import { type PreparedStep, runStep } from "../run/run-step.js";

/** Runs steps one after the other, and says after each training and test how long the others may take, by those that ran. */
export class StepRunner {
  private readonly steps: PreparedStep[];
  private next = 0;
  private ran = 0;
  private skipped = 0;
  private readonly began = Date.now();
  /** Seconds that all steps so far took, in this call or an earlier one. */
  seconds = 0;

  private constructor(
    planned: readonly PreparedStep[],
    private readonly state: RunState,
    private readonly workDir: string,
    private readonly context: StageContext,
  ) {
    this.steps = [...planned];
  }

  /** `planned`: the steps that are known already, in their order; others may come after them. */
  static async open(planned: readonly PreparedStep[], workDir: string, context: StageContext): Promise<StepRunner> {
    return new StepRunner(planned, await readRunState(workDir), workDir, context);
  }

  /** Passes over the next planned steps: they will not be run. */
  skip(count: number): void {
    this.next += count;
    this.skipped += count;
  }

  /** Adds steps that become known only now. */
  plan(steps: readonly PreparedStep[]): void {
    this.steps.push(...steps);
  }

  /** Runs the next `count` planned steps. */
  async run(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.runNext();
    this.sayLeft();
  }

  private async runNext(): Promise<void> {
    throwIfCancelled(this.context.signal);
    const index = this.next++;
    const { isNew, seconds, summary } = await runStep(
      { steps: this.steps, index, state: this.state, force: false },
      this.workDir,
      this.context,
    );
    this.seconds += seconds;
    if (!isNew) return;
    if (summary) this.context.reporter.info(summary.trimEnd());
    this.ran++;
  }

  private sayLeft(): void {
    const left = this.steps.length - this.next;
    if (this.ran === 0 || left === 0) return;
    const each = (Date.now() - this.began) / this.ran;
    this.context.reporter.info(`about ${formatSeconds((each * left) / 1000)} left`);
  }
}
