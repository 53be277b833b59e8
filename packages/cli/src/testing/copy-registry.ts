import { type StageRegistry, toAnyStage } from "@rag-ft/pipeline";
import { copyStage } from "@rag-ft/test-utils";

export const copyRegistry: StageRegistry = {
  copy: { summary: copyStage.summary, load: async () => toAnyStage(copyStage) },
  // Loading it would fail: shows that a stage is loaded only when asked for.
  broken: {
    summary: "never loaded",
    load: async () => {
      throw new Error("loaded");
    },
  },
};
