import type { StageContext, StageResult } from "@rag-ft/core";
import { fineTune } from "@rag-ft/fine-tune";
import { trainRerankerElsewhere } from "./elsewhere.js";
import { openTask } from "./open-task.js";
import type { GivenSettings } from "./settings.js";

/** Fine-tunes a reranker on a question's gold passage against negatives, keeping what reorders the eval questions' passages best. */
export function runTrainReranker(given: GivenSettings, context: StageContext): Promise<StageResult> {
  // Without evaluations there is nothing to choose by.
  const { keep_base_unless = given.do_eval ? "significant" : "better" } = given;
  const settings = { ...given, keep_base_unless };
  if (settings.engine !== "local" && settings.do_train) return trainRerankerElsewhere(settings, context);
  return fineTune(settings, context, (held) => openTask(settings, held));
}
