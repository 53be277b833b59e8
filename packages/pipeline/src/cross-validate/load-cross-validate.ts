import { type AnyStage, toAnyStage } from "../any-stage.js";

/** Loads `cross-validate` and the two stages that do its work: only when it is asked for. */
export async function loadCrossValidate(): Promise<AnyStage> {
  const [{ createCrossValidate }, { trainRetriever }, { testRetriever }] = await Promise.all([
    import("./stage.js"),
    import("@rag-ft/train-retriever"),
    import("@rag-ft/test-retriever"),
  ]);
  return toAnyStage(
    createCrossValidate({ trainRetriever: toAnyStage(trainRetriever), testRetriever: toAnyStage(testRetriever) }),
  );
}
