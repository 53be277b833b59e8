import { type Document, documentKey, type StageContext, type StageResult } from "@rag-ft/core";
import {
  checkStSettings,
  deepspeedConfig,
  type ElsewhereTask,
  elsewhereIdentity,
  examplesAStep,
  inTrainingOrder,
  type JobContent,
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
import { hashModel, type LoadedEncoder, saveEncoder } from "@rag-ft/models";
import {
  BEIR_FILES,
  beirRows,
  hashTrainingQuestions,
  type RetrievalExample,
  readTrainingQuestions,
  type TrainingQuestions,
} from "@rag-ft/retrieval";
import { INPUTS } from "./identity.js";
import { checkLengths, openModel, openTask, temperatureOf } from "./open-task.js";
import { sampleDatabase } from "./sample-database.js";
import { EVAL_PREFIX, type TrainRetrieverSettings } from "./settings.js";
import { type ComposedBatch, createBatches } from "./training-batches.js";

/** Depths that the evaluator measures at. */
const DEPTHS = [1, 4];
const PROGRAM = "train_retriever.py";

/** Fine-tunes an encoder by sentence-transformers: batches, negatives and masks are made here, what comes back is measured and put in its place here. */
export function trainRetrieverElsewhere(settings: TrainRetrieverSettings, context: StageContext): Promise<StageResult> {
  return trainElsewhere(settings, context, (held) => prepare(settings, held));
}

async function prepare(settings: TrainRetrieverSettings, context: StageContext): Promise<ElsewhereTask> {
  checkStSettings(settings, {
    "positives all": settings.positives === "all",
    distil_from: settings.distil_from !== undefined,
    truncate_dim: settings.truncate_dim !== undefined,
  });
  const data = await readTrainingQuestions(settings);
  const encoder = await openModel(settings, context);
  checkLengths(settings, encoder);
  const metric = metricOf(settings, encoder, context);
  return {
    plan: await jobPlan(settings, encoder, data, metric, context),
    evaluation: (line) => figuresOf(line, encoder.settings.similarity),
    adopt: async (result) => {
      // Names and shapes are looked at before anything is measured.
      await encoder.readWeights(result.folder);
      const { folder, step } = result;
      return adoptImported(settings, context, (held) => openTask(settings, held), { folder, step });
    },
  };
}

/** The evaluator's name of the figure that chooses; of one that it does not have, recall in the first four, and a line says so. */
function metricOf(
  { metric_for_best_model: name }: TrainRetrieverSettings,
  { settings }: LoadedEncoder,
  { reporter }: StageContext,
): string {
  const recall = /document_recall\/recall([14])$/.exec(name)?.[1];
  if (recall === undefined)
    reporter.warn(
      `metric_for_best_model is ${name}, which the evaluator of engine sentence-transformers does not have: it chooses its checkpoint by recall@4.`,
    );
  return `eval_rag-ft_${settings.similarity}_recall@${recall ?? 4}`;
}

/** A line of the engine's log as one of eval.jsonl. */
function figuresOf(line: Readonly<Record<string, unknown>>, similarity: string): Record<string, number> | undefined {
  const found = DEPTHS.flatMap((depth) => {
    const value = line[`eval_rag-ft_${similarity}_recall@${depth}`];
    return typeof value === "number" ? [[`${EVAL_PREFIX}document_recall/recall${depth}`, value] as const] : [];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** The batches of the job, each of all processes together: those of a training here with batches as large. */
async function batchesOf(
  settings: TrainRetrieverSettings,
  data: TrainingQuestions,
  context: StageContext,
): Promise<Iterable<ComposedBatch>> {
  const size = settings.per_device_train_batch_size * processesOf(settings);
  const order = [...inTrainingOrder(data.train, settings)];
  const source = { at: (number: number): RetrievalExample[] => order.slice(number * size, (number + 1) * size) };
  const whole = { ...settings, per_device_train_batch_size: size, gradient_accumulation_steps: 1 };
  const count = Math.ceil(order.length / size);
  const batches = await createBatches(whole, { ...data, distillation: undefined, source }, count, context);
  return {
    *[Symbol.iterator]() {
      for (let number = 0; number < count; number++) yield batches.at(number);
    },
  };
}

/** A row of each question of a batch: texts with their prefixes, and as labels which passages they are and which are no negatives. */
function* rowsOf(
  { examples }: ComposedBatch,
  { query_prefix, passage_prefix }: LoadedEncoder["settings"],
  idOf: (passage: Document) => number,
  { negatives, masked }: { negatives: number; masked: number },
): Generator<Record<string, unknown>> {
  const { queries, passages, labels, excluded } = examples;
  const gold = new Set(labels);
  const further = passages.filter((_, place) => !gold.has(place));
  for (const [row, query] of queries.entries()) {
    const own = passages[labels[row] as number] as Document;
    const drawn = Array.from({ length: negatives }, (_, column) => further[column * queries.length + row]);
    const notNegative = excluded.flatMap(([of, place]) => (of === row ? [idOf(passages[place] as Document)] : []));
    yield {
      anchor: query_prefix + query,
      positive: passage_prefix + own.fmt_content,
      ...Object.fromEntries(
        drawn.map((passage, k) => [`negative_${k + 1}`, passage ? passage_prefix + passage.fmt_content : ""]),
      ),
      label: [
        ...[own, ...drawn].map((passage) => (passage ? idOf(passage) : -1)),
        ...Array.from({ length: masked }, (_, i) => notNegative[i] ?? -1),
      ],
    };
  }
}

/** Rows of all batches; all have as many columns and labels. */
function* trainingRows(
  batches: Iterable<ComposedBatch>,
  settings: LoadedEncoder["settings"],
): Generator<Record<string, unknown>> {
  const widths = { negatives: 0, masked: 0 };
  for (const { examples } of batches) {
    const { queries, passages, labels, excluded } = examples;
    const counts = new Map<number, number>();
    for (const [query] of excluded) counts.set(query, (counts.get(query) ?? 0) + 1);
    const further = passages.length - new Set(labels).size;
    widths.negatives = Math.max(widths.negatives, Math.ceil(further / queries.length));
    widths.masked = Math.max(widths.masked, ...counts.values());
  }
  const ids = new Map<string, number>();
  const idOf = (passage: Document): number => {
    const key = documentKey(passage);
    const known = ids.get(key) ?? ids.size;
    ids.set(key, known);
    return known;
  };
  for (const batch of batches) yield* rowsOf(batch, settings, idOf, widths);
}

/** The eval questions and the passages that are searched for them, as BEIR has them; the texts are those that are embedded. */
function evaluationFiles(settings: TrainRetrieverSettings, data: TrainingQuestions): [string, JobContent][] {
  if (!settings.do_eval) return [];
  const { eval_passages: count, seed } = settings;
  const searched =
    count === undefined ? data.documents : sampleDatabase(data.documents, data.evaluation, { count, seed });
  const { corpus, queries, qrels } = beirRows(searched, data.evaluation, ({ fmt_content }) => fmt_content);
  return [
    [`eval/${BEIR_FILES.corpus}`, { rows: corpus }],
    [`eval/${BEIR_FILES.queries}`, { rows: queries }],
    [`eval/${BEIR_FILES.qrels}`, { text: qrels }],
  ];
}

async function jobPlan(
  settings: TrainRetrieverSettings,
  encoder: LoadedEncoder,
  data: TrainingQuestions,
  metric: string,
  context: StageContext,
): Promise<JobPlan> {
  const deepspeed = await deepspeedConfig(settings.deepspeed);
  const steps = stepsOf(settings, data.train.length);
  const batches = await batchesOf(settings, data, context);
  const job = {
    arguments: stArguments(settings, steps, metric),
    temperature: temperatureOf(settings, encoder),
    cosine: encoder.settings.similarity === "cosine",
    lengths: settings.matryoshka_dims ?? null,
    dropout: settings.dropout,
    attn_implementation: settings.use_flash_attention ? "flash_attention_2" : null,
    depths: settings.do_eval ? DEPTHS : null,
  };
  const rows = trainingRows(batches, encoder.settings);
  const files = new Map([...(await stFiles(PROGRAM, job, rows, deepspeed)), ...evaluationFiles(settings, data)]);
  context.reporter.info(
    `${settings.model_path}: ${data.train.length} questions, ${steps} steps of ${examplesAStep(settings)}`,
  );
  return {
    ...{ engine: "sentence-transformers", stage: "train-retriever", settings, steps, files },
    base: { name: settings.model_path, place: ST_BASE },
    // Prefixes, pooling and length as settings say, in the words of sentence-transformers.
    folders: { [ST_BASE]: (folder) => saveEncoder(folder, encoder, undefined, { onnx: false }) },
    identity: elsewhereIdentity({ ...settings, ...encoder.settings }, INPUTS, deepspeed, {
      "base model": await hashModel(encoder.folder, encoder.weights),
      ...hashTrainingQuestions(data),
    }),
    ...stJob(settings, PROGRAM),
  };
}
