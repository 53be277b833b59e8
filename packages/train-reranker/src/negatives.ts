import {
  DataError,
  type Document,
  documentKey,
  InternalError,
  type QuestionsRow,
  type StageContext,
} from "@rag-ft/core";
import { type MinedCounts, mineHardNegatives, type RetrievalExample } from "@rag-ft/retrieval";
import { areNear, shingles } from "@rag-ft/text";
import type { FirstStage } from "./first-stage.js";
import type { TrainRerankerSettings } from "./settings.js";

/** Questions to train on, each with one negative at least to draw from. */
export interface TrainingExamples {
  examples: readonly RetrievalExample[];
  /** For the run record. */
  record: MinedCounts | Pick<MinedCounts, "negatives" | "near_duplicates">;
}

/** Each question by itself: what is a likely answer to another question of its passage may still be a negative of this one. */
async function mined(
  examples: readonly RetrievalExample[],
  settings: TrainRerankerSettings,
  { retriever }: FirstStage,
  { reporter, signal }: StageContext,
): Promise<TrainingExamples> {
  const { dense } = retriever;
  if (dense === undefined) throw new InternalError("Negatives cannot be mined without vectors.");
  const rows = examples.map(
    ({ question, chat_history = [], ...passages }): QuestionsRow => ({
      ...passages,
      chat_history: [...chat_history],
      questions: [question],
    }),
  );
  const { negative_pool: pool, negative_margin: margin, seed } = settings;
  const options = { retriever: dense, ranking: retriever, count: pool, pool, margin, seed, reporter, signal };
  const found = await mineHardNegatives(rows, options);
  return {
    examples: examples.map((one, i) => ({ ...one, hard_neg_docs: found.rows[i]?.hard_neg_docs ?? [] })),
    record: found.counts,
  };
}

/** The rows' own, without gold passages and their near-duplicates. */
function own(examples: readonly RetrievalExample[]): TrainingExamples {
  const record = { negatives: 0, near_duplicates: 0 };
  const isNegative = (negative: Document, gold: readonly Document[]): boolean => {
    if (gold.some((one) => documentKey(one) === documentKey(negative))) return false;
    const words = shingles(negative.page_content);
    const isNear = gold.some((one) => areNear(words, shingles(one.page_content)));
    if (isNear) record.near_duplicates++;
    return !isNear;
  };
  const kept = examples.map((one) => {
    const hard_neg_docs = one.hard_neg_docs.filter((negative) => isNegative(negative, one.gold_docs));
    record.negatives += hard_neg_docs.length;
    return { ...one, hard_neg_docs };
  });
  return { examples: kept, record };
}

/**
 * The questions with the negatives that settings ask for. Those without any teach nothing and are left out, which a warning says.
 *
 * @throws DataError when none has any.
 */
export async function withNegatives(
  examples: readonly RetrievalExample[],
  settings: TrainRerankerSettings,
  first: FirstStage,
  context: StageContext,
): Promise<TrainingExamples> {
  const made = settings.negatives === "mined" ? await mined(examples, settings, first, context) : own(examples);
  const usable = made.examples.filter(({ hard_neg_docs }) => hard_neg_docs.length > 0);
  const lost = examples.length - usable.length;
  const what =
    settings.negatives === "mined"
      ? `no passage that was found scores below ${settings.negative_margin} of the gold one (--negative_margin)`
      : "their hard_neg_docs hold none but copies of gold passages";
  if (usable.length === 0)
    throw new DataError(
      `${settings.train_file}: none of the ${examples.length} questions has a negative, so that nothing can be learnt: ${what}.`,
    );
  if (lost > 0)
    context.reporter.warn(
      `${settings.train_file}: ${lost} of ${examples.length} questions have no negative and are left out: ${what}`,
    );
  const { negatives, near_duplicates } = made.record;
  context.reporter.info(
    `${negatives} negatives of ${usable.length} questions (${settings.negatives}), ${near_duplicates} near-duplicates of gold passages passed over`,
  );
  return { examples: usable, record: made.record };
}
