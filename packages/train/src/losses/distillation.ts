// Distillation into a retriever: a teacher, which reads question and passage together, has scored some passages of each question, and the scores of
// the retriever's vectors are to be like the teacher's.
import {
  add,
  constant,
  createSession,
  floatTensor,
  gatherElements,
  input,
  intTensor,
  logSoftmax,
  mul,
  neg,
  type Session,
  type SessionSettings,
  sub,
  sumAll,
  type Value,
} from "@rag-ft/onnx";
import { backward } from "../gradients/backward.js";
import { EXCLUDED_SCORE } from "./comparisons.js";
import { type Similarity, similarities } from "./similarities.js";

/** `kl`: of the teacher's distribution over a question's passages; `margin_mse`: of the distances from the gold passage's score. */
export const DISTILLATION_LOSSES = ["kl", "margin_mse"] as const;
export type DistillationLossKind = (typeof DISTILLATION_LOSSES)[number];

/** What a teacher says of one question's passages. */
export interface TeacherList {
  /** The passages' rows among the keys, distinct, the gold passage's first. */
  keys: readonly number[];
  /** The teacher's score of each. */
  scores: readonly number[];
}

export interface DistillationBatch {
  /** Query vectors, row-major [queries, dimensions], unnormalised. */
  queries: Float32Array;
  /** Vectors of all passages that any list names, row-major [keys, dimensions]. */
  keys: Float32Array;
  /** One a query. */
  lists: readonly TeacherList[];
  /** Factor of loss and gradients (default 1). */
  scale?: number;
}

export interface DistillationLoss {
  run(batch: DistillationBatch): Promise<{ loss: number; queryGradients: Float32Array; keyGradients: Float32Array }>;
  close(): Promise<void>;
}

export interface DistillationSettings {
  kind: DistillationLossKind;
  dimensions: number;
  similarity: Similarity;
  /** The retriever's similarities are divided by it. */
  studentTemperature: number;
  /** The teacher's scores are divided by it. */
  teacherTemperature: number;
  /** With several, the sum of the losses of vectors cut to each. */
  lengths?: readonly number[] | undefined;
}

/** What the graph is fed beside vectors, each [queries, keys], and what is added to its loss. */
interface Targets {
  /** Added to scores: what is not on a query's list is out. */
  bias: Float32Array;
  /** `kl`: the teacher's probabilities; `margin_mse`: its distances from the gold passage's score. */
  teacher: Float32Array;
  /** Of each pair in the loss. */
  weights: Float32Array;
  constant: number;
}

function softmax(values: readonly number[]): number[] {
  const largest = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function targetsOf(
  { kind, teacherTemperature }: DistillationSettings,
  { lists, scale = 1 }: DistillationBatch,
  columns: number,
): Targets {
  const size = lists.length * columns;
  const [teacher, weights] = [new Float32Array(size), new Float32Array(size)];
  const bias = new Float32Array(size).fill(kind === "kl" ? EXCLUDED_SCORE : 0);
  const pairs = lists.reduce((sum, { keys }) => sum + keys.length - 1, 0);
  let entropy = 0;
  lists.forEach(({ keys, scores }, query) => {
    const sharp = scores.map((score) => score / teacherTemperature);
    const probabilities = kind === "kl" ? softmax(sharp) : [];
    keys.forEach((key, place) => {
      const at = query * columns + key;
      if (kind === "kl") {
        const p = probabilities[place] as number;
        if (p > 0) entropy += p * Math.log(p);
        teacher[at] = p;
        weights[at] = scale / lists.length;
        bias[at] = 0;
      } else if (place > 0) {
        teacher[at] = (sharp[0] as number) - (sharp[place] as number);
        weights[at] = scale / pairs;
      }
    });
  });
  return { bias, teacher, weights, constant: kind === "kl" ? (entropy * scale) / lists.length : 0 };
}

/**
 * Distillation of a teacher's scores t into a retriever whose scores s are similarities. With temperatures T (teacher) and S (student):
 *
 * - `kl`: the mean over queries of `sum over p of P(p) log(P(p) / Q(p))`, with P = softmax(t / T) and Q = softmax(s / S) over the query's list
 *   (Hinton et al. 2015, without their factor of the squared temperature; of a reader's likelihoods: REPLUG, Shi et al. 2023).
 * - `margin_mse`: the mean over all passages p of all lists but the gold ones g of `((s(g) - s(p)) / S - (t(g) - t(p)) / T)^2`
 *   (Hofstätter et al. 2020, whose temperatures are 1).
 */
export async function createDistillationLoss(
  settings: DistillationSettings,
  sessionSettings: SessionSettings = {},
): Promise<DistillationLoss> {
  const { kind, dimensions, similarity, studentTemperature: temperature, lengths = [dimensions] } = settings;
  const queries = input("queries", "float32", ["queries", dimensions]);
  const keys = input("keys", "float32", ["keys", dimensions]);
  const [bias, teacher, weights] = ["bias", "teacher", "weights"].map((name) =>
    input(name, "float32", ["queries", "keys"]),
  ) as [Value, Value, Value];
  const gold = input("gold", "int64", ["queries", 1]);
  const losses = lengths.map((length) => {
    const scores = similarities(queries, keys, { similarity, temperature, length });
    if (kind === "kl") return neg(sumAll(mul(mul(teacher, logSoftmax(add(scores, bias))), weights)));
    const error = sub(sub(gatherElements(scores, gold, 1), scores), teacher);
    return sumAll(mul(mul(error, error), weights));
  });
  const loss = losses.reduce((sum, one) => add(sum, one));
  const [queryGradients, keyGradients] = backward([[loss, constant(1)]], [queries, keys]) as [Value, Value];
  const session: Session = await createSession({ outputs: { loss, queryGradients, keyGradients } }, sessionSettings);
  return {
    async run(batch) {
      const rows = batch.lists.length;
      const columns = batch.keys.length / dimensions;
      const shape = [rows, columns];
      const targets = targetsOf(settings, batch, columns);
      const result = await session.run({
        queries: floatTensor(batch.queries, [rows, dimensions]),
        keys: floatTensor(batch.keys, [columns, dimensions]),
        teacher: floatTensor(targets.teacher, shape),
        weights: floatTensor(targets.weights, shape),
        ...(kind === "kl"
          ? { bias: floatTensor(targets.bias, shape) }
          : {
              gold: intTensor(
                batch.lists.map((list) => list.keys[0] as number),
                [rows, 1],
              ),
            }),
      });
      return {
        loss: (result.loss?.data[0] as number) + targets.constant * lengths.length,
        queryGradients: result.queryGradients?.data as Float32Array,
        keyGradients: result.keyGradients?.data as Float32Array,
      };
    },
    close: () => session.close(),
  };
}
