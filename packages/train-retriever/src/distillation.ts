// A teacher's scores in training: each step takes some passages of each of its questions, and what the encoder's vectors say of them is to be like what
// the teacher said.
import { type Document, documentId, documentKey, hashRows, type Random, type Reporter, UserError } from "@rag-ft/core";
import { type RetrievalExample, type ScoredPassages, type Teacher, teacherScoresOf } from "@rag-ft/retrieval";
import type { ContrastiveLoss, DistillationLoss, TeacherList } from "@rag-ft/train";
import type { ContrastiveExamples } from "./examples.js";
import type { TrainRetrieverSettings } from "./settings.js";

/** By the likelihoods of a generator, which lie close together, as LocalRQA has it; logits of rerankers are far apart. */
const TEACHER_TEMPERATURES = { reranker: 1, generator: 0.1 };

/** What a training is taught besides its questions. */
export interface Distillation {
  teacher: Teacher;
  teacherTemperature: number;
  scoresOf(example: RetrievalExample): ScoredPassages;
  /** Of all scores that are used: what a run that goes on must share. */
  hash: string;
}

/**
 * Reads the scores that settings name; undefined where they name none, or nothing is trained.
 *
 * @throws UserError for settings that nothing would read, DataError where the scores do not fit the questions or the database.
 */
export async function readDistillation(
  settings: TrainRetrieverSettings,
  { train, documents }: { train: readonly RetrievalExample[]; documents: readonly Document[] },
  { warn }: Pick<Reporter, "warn">,
): Promise<Distillation | undefined> {
  const { distil_from: path, do_train } = settings;
  if (path === undefined) {
    for (const name of ["distil_teacher_temperature", "distil_student_temperature"] as const)
      if (settings[name] !== undefined)
        throw new UserError(
          `${name} is for distillation, and no scores are named. Give --distil_from a file of score-passages, or leave ${name} out.`,
        );
    return undefined;
  }
  if (!do_train) return undefined;
  const { teacher, lists, missing } = await teacherScoresOf(path, train, documents);
  if (missing[0])
    warn(
      `${path}: ${missing.length} of ${train.length} training questions have no scores, such as ${JSON.stringify(missing[0].question)}: they are learnt from by the contrastive loss alone`,
    );
  if (lists.every(({ passages }) => passages.length < 2))
    throw new UserError(
      `${path}: no question has a second passage, so that there is nothing to learn. Give score-passages a greater --num_docs or another --retrieval: by words alone, passages without a word of the question are not found.`,
    );
  const byExample = new Map(train.map((example, i) => [example, lists[i] as ScoredPassages]));
  const rows = lists.map(({ passages, scores }) => ({ passages: passages.map(documentId), scores }));
  return {
    teacher,
    teacherTemperature: settings.distil_teacher_temperature ?? TEACHER_TEMPERATURES[teacher.kind],
    scoresOf: (example) => byExample.get(example) as ScoredPassages,
    hash: hashRows([teacher.kind, ...rows]),
  };
}

/** For a line of the log. */
export function describeDistillation(
  { distil_weight, distil_loss, distil_passages }: TrainRetrieverSettings,
  { teacher, teacherTemperature }: Distillation,
): string {
  return `${distil_weight} of the loss is ${distil_loss} to the ${teacher.kind} ${teacher.model} / ${teacherTemperature}, up to ${distil_passages} passages a question`;
}

/** What a step is taught. */
export interface DistilledExamples {
  /** Passages that stand behind those that are contrasted. */
  further: Document[];
  /** One a query; places among the contrasted passages and then the further ones. */
  lists: TeacherList[];
}

/** The gold passage of each question and `count - 1` of its others, drawn. */
export function drawLists(
  { passages }: Pick<ContrastiveExamples, "passages">,
  scored: readonly ScoredPassages[],
  count: number,
  random: Random,
): DistilledExamples {
  const places = new Map(passages.map((passage, at) => [documentKey(passage), at]));
  const further: Document[] = [];
  const place = (passage: Document): number => {
    const key = documentKey(passage);
    const known = places.get(key);
    if (known !== undefined) return known;
    const at = passages.length + further.length;
    further.push(passage);
    places.set(key, at);
    return at;
  };
  const lists = scored.map(({ passages: own, scores }): TeacherList => {
    const others = random.sample([...own.keys()].slice(1), count - 1);
    const drawn = [0, ...others];
    return {
      keys: drawn.map((at) => place(own[at] as Document)),
      scores: drawn.map((at) => scores[at] as number),
    };
  });
  return { further, lists };
}

function addTo(sums: Float32Array, values: Float32Array, from: number): void {
  values.forEach((value, i) => {
    sums[from + i] = (sums[from + i] as number) + value;
  });
}

/** Contrastive loss and distillation together: `1 - weight` of the one and `weight` of the other. */
export function withDistillation(
  contrastive: ContrastiveLoss,
  distillation: DistillationLoss,
  { weight, dimensions }: { weight: number; dimensions: number },
): RetrieverLoss {
  return {
    async runTogether(vectors, { contrasted, lists = [], scale = 1, ...batch }) {
      const start = batch.labels.length * dimensions;
      const end = start + contrasted * dimensions;
      const queries = vectors.subarray(0, start);
      const plain = await contrastive.run({
        ...batch,
        queries,
        keys: vectors.subarray(start, end),
        dimensions,
        scale: scale * (1 - weight),
      });
      const taught = await distillation.run({ queries, keys: vectors.subarray(start), lists, scale: scale * weight });
      const gradients = new Float32Array(vectors.length);
      gradients.set(taught.queryGradients);
      gradients.set(taught.keyGradients, start);
      addTo(gradients, plain.queryGradients, 0);
      addTo(gradients, plain.keyGradients, start);
      return { loss: plain.loss + taught.loss, gradients };
    },
    async close() {
      await contrastive.close();
      await distillation.close();
    },
  };
}

/** A loss of all vectors of a step: queries, contrasted passages, and those that only a teacher has scored. */
export interface RetrieverLoss {
  runTogether(
    vectors: Float32Array,
    batch: Parameters<ContrastiveLoss["runTogether"]>[1] & {
      /** How many passages are contrasted. */
      contrasted: number;
      lists?: readonly TeacherList[] | undefined;
    },
  ): Promise<{ loss: number; gradients: Float32Array }>;
  close(): Promise<void>;
}
