import type { TrainingSettings } from "@rag-ft/train";
import type { ResultSettings } from "./result/result-settings.js";

/** The settings of a stage that the skeleton reads. */
export type FineTuneSettings = TrainingSettings &
  ResultSettings & {
    do_eval: boolean;
    /** False: the model is only evaluated, and none is written. */
    do_train?: boolean;
  };
