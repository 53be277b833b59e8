import { type StageContext, sourceOf, UserError } from "@rag-ft/core";
import {
  type FineTuneTask,
  freezeSettings,
  type OpenedTask,
  retrieverColumns,
  withoutSplit,
  withSplit,
} from "@rag-ft/fine-tune";
import {
  createTrainableScorer,
  frozenScorerPart,
  hashModel,
  headModules,
  type LoadedScorer,
  loadScorer,
  saveScorer,
  scorerAdapters,
  type TrainableScorer,
} from "@rag-ft/models";
import {
  hashTrainingQuestions,
  RERANKER_FILE,
  type RetrievalExample,
  readTrainingQuestions,
  type TrainingQuestions,
} from "@rag-ft/retrieval";
import { decidingSettings, type RunIdentity, totalSteps } from "@rag-ft/train";
import { rerankerCard } from "./card.js";
import { compareStages } from "./compare-stages.js";
import { RerankerInTraining } from "./evaluation.js";
import { checkFirstStage, type FirstStage, openFirstStage, type Searched, search } from "./first-stage.js";
import { withNegatives } from "./negatives.js";
import { INPUTS, type TrainRerankerSettings } from "./settings.js";
import { createStep } from "./training-step.js";

/** Loads the reranker, or an encoder with a new head. */
export async function openModel(
  settings: TrainRerankerSettings,
  { env, reporter, signal }: StageContext,
): Promise<LoadedScorer> {
  const scorer = await loadScorer(settings.model_path, {
    env,
    reporter,
    signal,
    newHead: settings.seed,
    truncation: "only_second",
    ...(settings.max_seq_length === undefined ? {} : { maxLength: settings.max_seq_length }),
  });
  if (scorer.labels === 1) return scorer;
  throw new UserError(
    `${settings.model_path}: its head gives ${scorer.labels} labels, expected 1: a reranker has one score. Give a reranker, or an encoder without a head.`,
  );
}

/** What decides a run's result; taken before training changes the weights. */
export async function identityOf(
  settings: TrainRerankerSettings,
  scorer: LoadedScorer,
  first: FirstStage,
  data: TrainingQuestions,
): Promise<RunIdentity> {
  return {
    settings: decidingSettings({ ...settings, max_seq_length: scorer.maxLength }, INPUTS),
    inputs: {
      "base model": await hashModel(scorer.folder, scorer.weights),
      "first stage": first.identity,
      ...hashTrainingQuestions(data),
    },
  };
}

/** The stage's inputs and its model, for a training in this process or to measure one elsewhere. */
export async function openTask(settings: TrainRerankerSettings, context: StageContext): Promise<OpenedTask> {
  checkFirstStage(settings);
  const data = await readTrainingQuestions(settings);
  const scorer = await openModel(settings, context);
  const frozen = frozenScorerPart(scorer, settings.freeze_layers);
  const head = scorer.isHeadNew
    ? `a new head of one label (normal, deviation 0.02, seed ${settings.seed}; biases 0)`
    : "its own head";
  return {
    modelName: settings.model_path,
    base: scorer,
    announcement:
      `${settings.model_path}: ${head}; ${data.train.length} questions, ${settings.loss} loss over 1 + ${settings.num_negatives} passages each; ` +
      `pairs of at most ${scorer.maxLength} tokens; database of ${data.documents.length} passages`,
    adapterTask: "SEQ_CLS",
    wholeBesideAdapters: headModules(scorer),
    adapters: (lora, session) => scorerAdapters(scorer, lora, session, frozen),
    async prepare(session, adapters) {
      const first = await openFirstStage(settings, data, context);
      let found: Awaited<ReturnType<typeof searchAll>>;
      try {
        found = await searchAll(settings, scorer, first, data, context);
      } finally {
        await first.retriever.close();
      }
      const freeze = freezeSettings(settings, context.reporter);
      const model = await createTrainableScorer(scorer, { ...session, freeze }, adapters);
      return rerankerTask(settings, { model, data, name: first.name, ...found }, context);
    },
  };
}

/** All that the first stage is needed for; it is closed before training needs its memory. */
async function searchAll(
  settings: TrainRerankerSettings,
  scorer: LoadedScorer,
  first: FirstStage,
  data: TrainingQuestions,
  context: StageContext,
): Promise<Pick<Found, "identity" | "evaluation" | "test" | "training">> {
  const searched = (questions: readonly RetrievalExample[]): Promise<Searched> =>
    search(first, questions, settings.rerank_top_n, context);
  return {
    identity: await identityOf(settings, scorer, first, data),
    training: settings.do_train ? await withNegatives(data.train, settings, first, context) : undefined,
    evaluation: await searched(data.evaluation),
    test: data.test ? await searched(data.test) : undefined,
  };
}

interface Found {
  model: TrainableScorer;
  data: TrainingQuestions;
  /** Of the first stage, for people. */
  name: string;
  identity: RunIdentity;
  training: Awaited<ReturnType<typeof withNegatives>> | undefined;
  evaluation: Searched;
  test: Searched | undefined;
}

function rerankerTask(settings: TrainRerankerSettings, found: Found, context: StageContext): FineTuneTask {
  const { model, data, name, identity, training, evaluation, test } = found;
  const examples = training?.examples ?? [];
  const measured = new RerankerInTraining(settings, model, { evaluation, test }, context);
  const stages = { name, baseReranks: !model.scorer.isHeadNew, evaluation };
  return {
    identity,
    steps: settings.do_train ? totalSteps(settings, examples.length) : 0,
    model,
    runStep: createStep(settings, model, examples, context.signal),
    metric: { name: settings.metric_for_best_model, greaterIsBetter: true },
    evaluate: (place) => measured.evaluate(place),
    sources: data.evaluation.map(sourceOf),
    test: data.test && {
      measure: (place) => measured.test(place),
      sources: data.test.map(sourceOf),
      about: { questions: data.test.length, passages: data.documents.length },
      inRecord: (figures) => withSplit("test", figures),
    },
    table: { columns: retrieverColumns, cells: withoutSplit },
    save: (folder, extra) => saveScorer(folder, model.scorer, extra, { onnx: settings.save_onnx }),
    filesOfWeights: [RERANKER_FILE],
    compare: (kept) => compareStages(settings, measured, stages, kept),
    splitBy: data.splitBy,
    record: { first_stage: name, ...(training ? { negatives: training.record } : {}) },
    card: rerankerCard(settings, model.scorer, name, data),
    close: () => model.close(),
  };
}
