import { retrievalQuery, type StageContext, type StageResult, UserError } from "@rag-ft/core";
import {
  checkStSettings,
  deepspeedConfig,
  type ElsewhereTask,
  elsewhereIdentity,
  inTrainingOrder,
  type JobPlan,
  processesOf,
  ST_BASE,
  stArguments,
  stepsOf,
  stFiles,
  stJob,
  trainElsewhere,
} from "@rag-ft/engines";
import { adoptImported } from "@rag-ft/fine-tune";
import { type LoadedScorer, saveScorer } from "@rag-ft/models";
import { type RetrievalExample, readTrainingQuestions, type TrainingQuestions } from "@rag-ft/retrieval";
import { checkFirstStage, openFirstStage, type Searched, search } from "./first-stage.js";
import { withNegatives } from "./negatives.js";
import { identityOf, openModel, openTask } from "./open-task.js";
import { INPUTS, type TrainRerankerSettings } from "./settings.js";
import { composeGroups } from "./training-step.js";

const PROGRAM = "train_reranker.py";

/** Fine-tunes a reranker by sentence-transformers: passages are found and negatives mined here, what comes back is measured and put in its place here. */
export function trainRerankerElsewhere(settings: TrainRerankerSettings, context: StageContext): Promise<StageResult> {
  return trainElsewhere(settings, context, (held) => prepare(settings, held));
}

async function prepare(settings: TrainRerankerSettings, context: StageContext): Promise<ElsewhereTask> {
  // It has a default, so that nobody may have asked for it.
  context.reporter.info(
    "engine sentence-transformers does not stop early: all steps are trained, and the best checkpoint is kept",
  );
  checkStSettings({ ...settings, early_stopping_patience: undefined }, {});
  checkFirstStage(settings);
  const data = await readTrainingQuestions(settings);
  const scorer = await openModel(settings, context);
  if (scorer.pairFormat)
    throw new UserError(
      `${settings.model_path}: a reranker that puts pairs into a template is trained by engine local alone. Give an encoder's reranker, or engine local.`,
    );
  const metric = `mrr@${settings.rerank_top_n}`;
  return {
    plan: await jobPlan(settings, scorer, data, metric, context),
    evaluation: (line) => {
      const value = line[`eval_rag-ft_${metric}`];
      return typeof value === "number" ? { "eval_retr/mrr": value } : undefined;
    },
    adopt: async ({ folder, step }) => {
      // Names and shapes are looked at before anything is measured.
      await scorer.readWeights(folder);
      return adoptImported(settings, context, (held) => openTask(settings, held), { folder, step });
    },
  };
}

/** A row of each question: its gold passage, then its negatives, drawn for each batch of all processes together. */
function* trainingRows(
  examples: readonly RetrievalExample[],
  settings: TrainRerankerSettings,
): Generator<Record<string, unknown>> {
  const size = settings.per_device_train_batch_size * processesOf(settings);
  const order = [...inTrainingOrder(examples, settings)];
  for (let number = 0; number * size < order.length; number++) {
    for (const { question, passages } of composeGroups(
      order.slice(number * size, (number + 1) * size),
      settings,
      number,
    ))
      yield {
        query: question,
        passages: passages.map(({ fmt_content }) => fmt_content),
        labels: passages.map((_, place) => (place === 0 ? 1 : 0)),
      };
  }
}

/** What the first stage found for each eval question, which the engine reorders. */
function* candidateRows({ questions, found }: Searched): Generator<Record<string, unknown>> {
  for (const [i, question] of questions.entries()) {
    yield {
      query: retrievalQuery(question),
      positive: question.gold_docs.map(({ fmt_content }) => fmt_content),
      documents: (found[i]?.documents ?? []).map(({ fmt_content }) => fmt_content),
    };
  }
}

async function jobPlan(
  settings: TrainRerankerSettings,
  scorer: LoadedScorer,
  data: TrainingQuestions,
  metric: string,
  context: StageContext,
): Promise<JobPlan> {
  const deepspeed = await deepspeedConfig(settings.deepspeed);
  const first = await openFirstStage(settings, data, context);
  try {
    const { examples } = await withNegatives(data.train, settings, first, context);
    const steps = stepsOf(settings, examples.length);
    const job = {
      arguments: stArguments(settings, steps, `eval_rag-ft_${metric}`),
      loss: settings.loss,
      max_length: scorer.maxLength,
      attn_implementation: settings.use_flash_attention ? "flash_attention_2" : null,
      at_k: settings.do_eval ? settings.rerank_top_n : null,
    };
    const files = await stFiles(PROGRAM, job, trainingRows(examples, settings), deepspeed);
    if (settings.do_eval) {
      const found = await search(first, data.evaluation, settings.rerank_top_n, context);
      files.set("eval/candidates.jsonl", { rows: candidateRows(found) });
    }
    const { inputs } = await identityOf(settings, scorer, first, data);
    const deciding = { ...settings, max_seq_length: scorer.maxLength };
    return {
      ...{ engine: "sentence-transformers", stage: "train-reranker", settings, steps, files },
      base: { name: settings.model_path, place: ST_BASE },
      // With its new head, where it has one.
      folders: { [ST_BASE]: (folder) => saveScorer(folder, scorer, undefined, { onnx: false }) },
      identity: elsewhereIdentity(deciding, INPUTS, deepspeed, inputs),
      ...stJob(settings, PROGRAM),
    };
  } finally {
    await first.retriever.close();
  }
}
