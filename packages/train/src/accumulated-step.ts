import { describeExamples, type ShownExample } from "./describe-examples.js";
import type { StepResult } from "./training-run.js";

/** What a batch adds to its step, whose gradients are summed by then. */
export interface StepPart<Example> {
  /** Its share of the step's loss. */
  loss: number;
  tokens: number;
  batch: readonly Example[];
}

/** Step `step`, from 1, of so many batches; `part` is given each batch's number, from 0 through all steps. */
export async function accumulatedStep<Example>(
  step: number,
  parts: number,
  part: (number: number) => Promise<StepPart<Example>>,
  show: (example: Example) => ShownExample,
): Promise<StepResult> {
  const sum = { loss: 0, examples: 0, tokens: 0 };
  const seen: Example[] = [];
  for (let i = 0; i < parts; i++) {
    const { loss, tokens, batch } = await part((step - 1) * parts + i);
    sum.loss += loss;
    sum.tokens += tokens;
    sum.examples += batch.length;
    seen.push(...batch);
  }
  return { ...sum, describe: () => describeExamples(seen.map(show)) };
}
