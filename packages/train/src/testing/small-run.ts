import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRandom, silentReporter, writeFolderAtomic } from "@rag-ft/core";
import { z } from "zod";
import { decidingSettings } from "../checkpoint/run-identity.js";
import type { TensorFiles } from "../checkpoint/tensor-files.js";
import { describeExamples } from "../describe-examples.js";
import { createGradientSums } from "../optimizer/gradients.js";
import { ShuffledBatches } from "../shuffled-batches.js";
import { runTraining, type TrainingOutcome, type TrainingTask } from "../training-run.js";
import { trainingSettings } from "../training-settings.js";

/** Tensors as JSON: exact, since a number's shortest decimal form comes back as the same number. */
const files: TensorFiles = {
  async write(path, tensors) {
    const entries = [...tensors].map(([name, { shape, data }]) => [name, { shape, data: [...data] }]);
    await writeFile(path, JSON.stringify(entries));
  },
  async read(path) {
    const entries = JSON.parse(await readFile(path, "utf8")) as [string, { shape: number[]; data: number[] }][];
    return new Map(entries.map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]));
  },
};

const schema = z.object(trainingSettings);
const EXAMPLES = Array.from({ length: 10 }, (_, i) => ({ x: Math.sin(i), y: Math.cos(i * i), text: `question ${i}` }));
/** What recall might look like over the steps: it rises and falls, and some values come twice. */
const METRIC: Record<number, number> = { 0: 0.3, 2: 0.5, 4: 0.4, 6: 0.7, 8: 0.7, 10: 0.6, 11: 0.6 };

/** What goes wrong in a run. */
export interface Faults {
  /** Called at the beginning of a step, an evaluation and a save, which may throw or abort. */
  before?: (what: "step" | "evaluate" | "save", step: number, controller: AbortController) => void;
  loss?: (step: number, loss: number) => number;
  /** Added to a gradient. */
  gradient?: (step: number) => number;
  metric?: (step: number, value: number) => number;
}

export interface SmallRun {
  outcome: TrainingOutcome;
  weights: Map<string, { shape: number[]; data: Float32Array }>;
  /** Steps made by this call. */
  steps: number[];
  said: string[];
}

/** Two parameters fitted to a few points, with batches from the seed: small, but all parts of the loop are at work. */
export async function smallRun(
  output: string,
  given: Record<string, unknown> = {},
  faults: Faults = {},
  inputs = { questions: "a" },
): Promise<SmallRun> {
  const settings = schema.parse({
    output_dir: output,
    max_steps: 11,
    eval_steps: 2,
    logging_steps: 3,
    per_device_train_batch_size: 3,
    learning_rate: 0.1,
    ...given,
  });
  const controller = new AbortController();
  const random = createRandom(settings.seed);
  const w = Float32Array.of(random.next(), random.next());
  const b = Float32Array.of(random.next(), random.next());
  const weights = new Map([
    ["a.weight", { shape: [2], data: w }],
    ["b.bias", { shape: [2], data: b }],
  ]);
  const gradients = createGradientSums(weights);
  const batches = new ShuffledBatches(EXAMPLES, settings.per_device_train_batch_size, settings.seed);
  const steps: number[] = [];
  const said: string[] = [];
  let now = 0;
  const before = (what: "step" | "evaluate" | "save"): void => faults.before?.(what, now, controller);
  const task: TrainingTask = {
    settings,
    identity: { settings: decidingSettings(settings, []), inputs },
    steps: settings.max_steps,
    weights,
    gradients,
    async runStep(step) {
      now = step;
      before("step");
      steps.push(step);
      const batch = batches.at(step - 1);
      const sums = [gradients.get("a.weight"), gradients.get("b.bias")].flatMap((sum) => (sum ? [sum] : []));
      let loss = 0;
      for (const { x, y } of batch) {
        const inputs = [
          [x, x * x],
          [1, y],
        ];
        const dot = (values: Float32Array, row: number): number =>
          values.reduce((total, value, i) => total + value * (inputs[row]?.[i] ?? 0), 0);
        const error = dot(w, 0) + dot(b, 1) - y;
        loss += error ** 2;
        sums.forEach((sum, row) => {
          sum.forEach((value, i) => {
            sum[i] = value + error * (inputs[row]?.[i] ?? 0) + (faults.gradient?.(step) ?? 0);
          });
        });
      }
      return {
        loss: faults.loss?.(step, loss) ?? loss,
        examples: batch.length,
        tokens: 10,
        describe: () => describeExamples(batch.map(({ text }) => ({ text }))),
      };
    },
    evaluate: async (step) => {
      now = step;
      before("evaluate");
      const recall = METRIC[step] ?? 0;
      const figures = { recall: faults.metric?.(step, recall) ?? recall, first_weight: w[0] ?? 0 };
      return step === 0 ? { figures, test: { recall: 0.25 } } : { figures };
    },
    metric: { name: "recall", greaterIsBetter: true },
    save: (target, extra) =>
      writeFolderAtomic(target, async (temporary) => {
        await files.write(join(temporary, "model"), weights);
        before("save");
        await extra(temporary);
      }),
    files,
    reporter: { ...silentReporter, info: (line) => said.push(line), warn: (line) => said.push(`warning: ${line}`) },
    signal: controller.signal,
  };
  const { evaluate, ...withoutEvaluation } = task;
  const outcome = await runTraining(given.do_eval === false ? withoutEvaluation : { ...withoutEvaluation, evaluate });
  return { outcome, weights, steps, said };
}

/** As a stage does when training is done. */
export async function finish(run: SmallRun): Promise<SmallRun> {
  await run.outcome.conclude(async () => {});
  return run;
}
