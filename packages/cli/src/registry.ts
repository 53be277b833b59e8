import type { Stage } from "@rag-ft/core";
import type { AnyStage, StageRegistry } from "@rag-ft/pipeline";

/** A stage of its own package; that and what handles stages are loaded only now. */
async function opened<Settings>(load: () => Promise<Stage<Settings>>): Promise<AnyStage> {
  const [{ toAnyStage }, stage] = await Promise.all([import("@rag-ft/pipeline"), load()]);
  return toAnyStage(stage);
}

/** Every stage, in the order of the flow. */
export const stageRegistry: StageRegistry = {
  init: {
    summary: "write a configuration for documentation of your own",
    load: () => opened(async () => (await import("@rag-ft/setup")).init),
  },
  doctor: {
    summary: "say what this machine has and lacks",
    load: () => opened(async () => (await import("@rag-ft/setup")).doctor),
  },
  "prepare-docs": {
    summary: "cut documents into passages",
    load: () => opened(async () => (await import("@rag-ft/prepare-docs")).prepareDocs),
  },
  merge: {
    summary: "put shards of several workers together",
    load: () => opened(async () => (await import("@rag-ft/merge")).merge),
  },
  "gen-questions": {
    summary: "have a model ask questions about the passages",
    load: () => opened(async () => (await import("@rag-ft/gen-questions")).genQuestions),
  },
  "mine-negatives": {
    summary: "give existing questions hard negatives from the whole database",
    load: () => opened(async () => (await import("@rag-ft/mine-negatives")).mineNegatives),
  },
  "audit-splits": {
    summary: "look for leaks between train, eval and test",
    load: () => opened(async () => (await import("@rag-ft/audit-splits")).auditSplits),
  },
  "gen-answers": {
    summary: "have a model answer those questions",
    load: () => opened(async () => (await import("@rag-ft/gen-answers")).genAnswers),
  },
  "train-retriever": {
    summary: "fine-tune an encoder on questions and passages",
    isHandedOver: true,
    load: () => opened(async () => (await import("@rag-ft/train-retriever")).trainRetriever),
  },
  "train-reranker": {
    summary: "fine-tune a cross-encoder that reorders what is found",
    isHandedOver: true,
    load: () => opened(async () => (await import("@rag-ft/train-reranker")).trainReranker),
  },
  "score-passages": {
    summary: "have a reranker or a generator score passages, to learn from",
    load: () => opened(async () => (await import("@rag-ft/score-passages")).scorePassages),
  },
  "train-generator": {
    summary: "fine-tune a decoder on answers, the retriever held fixed",
    isHandedOver: true,
    load: () => opened(async () => (await import("@rag-ft/train-generator")).trainGenerator),
  },
  "test-retriever": {
    summary: "measure retrievers alone, against BM25 and each other",
    load: () => opened(async () => (await import("@rag-ft/test-retriever")).testRetriever),
  },
  "cross-validate": {
    summary: "train and measure the retriever on folds: does it help here?",
    load: async () => (await import("@rag-ft/pipeline")).loadCrossValidate(),
  },
  "test-e2e": {
    summary: "retrieve, answer and score on held-out questions",
    load: () => opened(async () => (await import("@rag-ft/test-e2e")).testE2e),
  },
  compare: {
    summary: "compare two runs, question by question",
    load: () => opened(async () => (await import("@rag-ft/compare")).compare),
  },
  report: {
    summary: "write one HTML file about a run",
    load: () => opened(async () => (await import("@rag-ft/report")).report),
  },
  review: {
    summary: "label answers on a local page",
    load: () => opened(async () => (await import("@rag-ft/review")).review),
  },
  ask: {
    summary: "ask a tuned system a question",
    load: () => opened(async () => (await import("@rag-ft/ask")).ask),
  },
  serve: {
    summary: "serve a tuned system: chat page, OpenAI's routes, search, MCP",
    load: () => opened(async () => (await import("@rag-ft/serve")).serve),
  },
  export: {
    summary: "write a model for transformers.js or llama.cpp, or a training for TRL or sentence-transformers",
    load: () => opened(async () => (await import("@rag-ft/hand-over")).exportStage),
  },
  import: {
    summary: "take in what another engine trained",
    load: () =>
      opened(async () => {
        const { createImport } = await import("@rag-ft/pipeline");
        return createImport(stageRegistry);
      }),
  },
  beir: {
    summary: "turn a BEIR folder into a database and questions, or the reverse",
    load: () => opened(async () => (await import("@rag-ft/hand-over")).beir),
  },
  convert: {
    summary: "write passages, questions or answers as Parquet or as JSONL",
    load: () => opened(async () => (await import("@rag-ft/hand-over")).convert),
  },
  collect: {
    summary: "make training rows of turns that users voted up",
    load: () => opened(async () => (await import("@rag-ft/collect")).collect),
  },
  index: {
    summary: "embed what is new or changed in a database",
    load: () => opened(async () => (await import("@rag-ft/serve")).index),
  },
  mcp: {
    summary: "let an editor or assistant search the passages (MCP)",
    load: () => opened(async () => (await import("@rag-ft/serve")).mcp),
  },
  cache: {
    summary: "list or remove what the cache holds",
    load: () => opened(async () => (await import("@rag-ft/pipeline")).cache),
  },
};
