import { type AnyStage, toAnyStage } from "./any-stage.js";

/** A subcommand that is a stage. Its package is loaded only when it is asked for, so that help stays instant. */
export interface StageEntry {
  summary: string;
  load(): Promise<AnyStage>;
}

export type StageRegistry = Readonly<Record<string, StageEntry>>;

async function loadCrossValidate(): Promise<AnyStage> {
  const [{ createCrossValidate }, { trainRetriever }, { testRetriever }] = await Promise.all([
    import("./cross-validate/stage.js"),
    import("@rag-ft/train-retriever"),
    import("@rag-ft/test-retriever"),
  ]);
  return toAnyStage(
    createCrossValidate({ trainRetriever: toAnyStage(trainRetriever), testRetriever: toAnyStage(testRetriever) }),
  );
}

/** Every stage, in the order of the flow. */
export const stageRegistry: StageRegistry = {
  "prepare-docs": {
    summary: "cut documents into passages",
    load: async () => toAnyStage((await import("@rag-ft/prepare-docs")).prepareDocs),
  },
  "gen-questions": {
    summary: "have a model ask questions about the passages",
    load: async () => toAnyStage((await import("@rag-ft/gen-questions")).genQuestions),
  },
  "mine-negatives": {
    summary: "give existing questions hard negatives from the whole database",
    load: async () => toAnyStage((await import("@rag-ft/mine-negatives")).mineNegatives),
  },
  "audit-splits": {
    summary: "look for leaks between train, eval and test",
    load: async () => toAnyStage((await import("@rag-ft/audit-splits")).auditSplits),
  },
  "gen-answers": {
    summary: "have a model answer those questions",
    load: async () => toAnyStage((await import("@rag-ft/gen-answers")).genAnswers),
  },
  "train-retriever": {
    summary: "fine-tune an encoder on questions and passages",
    load: async () => toAnyStage((await import("@rag-ft/train-retriever")).trainRetriever),
  },
  "train-generator": {
    summary: "fine-tune a decoder on answers, the retriever held fixed",
    load: async () => toAnyStage((await import("@rag-ft/train-generator")).trainGenerator),
  },
  "test-retriever": {
    summary: "measure retrievers alone, against BM25 and each other",
    load: async () => toAnyStage((await import("@rag-ft/test-retriever")).testRetriever),
  },
  "cross-validate": {
    summary: "train and measure the retriever on folds: does it help here?",
    load: loadCrossValidate,
  },
  "test-e2e": {
    summary: "retrieve, answer and score on held-out questions",
    load: async () => toAnyStage((await import("@rag-ft/test-e2e")).testE2e),
  },
  compare: {
    summary: "compare two runs, question by question",
    load: async () => toAnyStage((await import("@rag-ft/compare")).compare),
  },
  report: {
    summary: "write one HTML file about a run",
    load: async () => toAnyStage((await import("@rag-ft/report")).report),
  },
  review: {
    summary: "label answers on a local page",
    load: async () => toAnyStage((await import("@rag-ft/review")).review),
  },
};
