/** Sums over the steps since the last line of the log. */
export interface StepTotals {
  loss: number;
  steps: number;
  examples: number;
  tokens: number;
  milliseconds: number;
}

const NOTHING: StepTotals = { loss: 0, steps: 0, examples: 0, tokens: 0, milliseconds: 0 };

/** Figures of the steps since the last line of the log. */
export class StepLog {
  constructor(private sums: StepTotals = NOTHING) {}

  /** What to make a log from that goes on from here. */
  totals(): StepTotals {
    return this.sums;
  }

  add({ loss, examples, tokens }: { loss: number; examples: number; tokens: number }, milliseconds: number): void {
    const { sums } = this;
    this.sums = {
      loss: sums.loss + loss,
      steps: sums.steps + 1,
      examples: sums.examples + examples,
      tokens: sums.tokens + tokens,
      milliseconds: sums.milliseconds + milliseconds,
    };
  }

  /** The line's figures; the next one starts from nothing. */
  take(): { loss: number; examples_per_s: number; tokens_per_s: number } {
    const { loss, steps, examples, tokens, milliseconds } = this.sums;
    const seconds = milliseconds / 1000;
    this.sums = NOTHING;
    return {
      loss: loss / steps,
      examples_per_s: Number((examples / seconds).toFixed(2)),
      tokens_per_s: Math.round(tokens / seconds),
    };
  }
}
