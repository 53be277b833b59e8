import type { StageContext, StageResult } from "@rag-ft/core";
import { fineTune } from "@rag-ft/fine-tune";
import { trainRetrieverElsewhere } from "./elsewhere.js";
import { openTask } from "./open-task.js";
import type { TrainRetrieverSettings } from "./settings.js";

/** Fine-tunes an encoder by in-batch contrastive learning, keeping the checkpoint with the best recall. */
export function runTrainRetriever(settings: TrainRetrieverSettings, context: StageContext): Promise<StageResult> {
  if (settings.engine !== "local" && settings.do_train) return trainRetrieverElsewhere(settings, context);
  return fineTune(settings, context, (held) => openTask(settings, held));
}
