import { type EngineSettings, ShuffledBatches, type TrainingSettings } from "@rag-ft/train";

type OrderSettings = Pick<
  TrainingSettings & EngineSettings,
  | "per_device_train_batch_size"
  | "gradient_accumulation_steps"
  | "nproc_per_node"
  | "nnodes"
  | "num_train_epochs"
  | "max_steps"
  | "seed"
>;

/** Processes of a job. */
export function processesOf({ nproc_per_node, nnodes }: Pick<EngineSettings, "nproc_per_node" | "nnodes">): number {
  return nproc_per_node * nnodes;
}

/** Examples of one step of the optimizer, over all processes. */
export function examplesAStep(settings: OrderSettings): number {
  return settings.per_device_train_batch_size * settings.gradient_accumulation_steps * processesOf(settings);
}

/** Examples that the job trains on, those of later epochs counted again. */
function examplesInAll(settings: OrderSettings, examples: number): number {
  const { max_steps, num_train_epochs } = settings;
  if (max_steps > 0) return max_steps * examplesAStep(settings);
  return Math.max(1, Math.ceil(examples * num_train_epochs));
}

/** Steps of the job. */
export function stepsOf(settings: OrderSettings, examples: number): number {
  return Math.ceil(examplesInAll(settings, examples) / examplesAStep(settings));
}

/**
 * All examples in the order in which they are trained on, each step's together: the shuffled epochs of the local engine one after the other. Where
 * the last step of an epoch is short there, here it is filled from the next epoch; so the steps are the same where the examples divide into them.
 */
export function* inTrainingOrder<T>(examples: readonly T[], settings: OrderSettings): Generator<T> {
  const wanted = examplesInAll(settings, examples.length);
  const epochs = new ShuffledBatches(examples, examples.length, settings.seed);
  for (let done = 0, epoch = 0; done < wanted; epoch++) {
    for (const example of epochs.at(epoch).slice(0, wanted - done)) {
      yield example;
      done++;
    }
  }
}
