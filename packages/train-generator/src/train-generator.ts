import type { StageContext, StageResult } from "@rag-ft/core";
import { fineTune } from "@rag-ft/fine-tune";
import { trainGeneratorElsewhere } from "./elsewhere.js";
import { openTask } from "./open-task.js";
import type { TrainGeneratorSettings } from "./settings.js";

/** Fine-tunes a decoder on answers, with passages of a fixed retriever in the prompt; keeps the checkpoint with the lowest loss. */
export function runTrainGenerator(settings: TrainGeneratorSettings, context: StageContext): Promise<StageResult> {
  if (settings.engine !== "local" && settings.do_train) return trainGeneratorElsewhere(settings, context);
  return fineTune(settings, context, (held) => openTask(settings, held));
}
