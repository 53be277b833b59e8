import { z } from "zod";
import { type Document, documentKey } from "./document.js";
import { hashText } from "./hash.js";
import type { ChatTurn } from "./qa.js";

/*
 * What test-e2e writes to its output_dir. Keys are only ever added.
 *
 *   test-predictions.jsonl  a line a question, in the order of eval_data_path: `predictionSchema` of qa.ts, with the keys below
 *   score.json              flat: figure -> number; beside each figure that is a mean over questions, `<figure>_ci95: [low, high]`,
 *                           its 95 % interval (left out for a single question, which says nothing of its spread)
 *   judge.json              only with a judge: its model and prompt hash, counts of verdicts, bounds, flips, agreement; faithfulness apart
 *   two-by-two.json         only with compare_base: every combination of models, `twoByTwoSchema`
 *   cells/<name>/           only with compare_base: test-predictions.jsonl, score.json (and judge.json) of each combination but the
 *                           tuned retriever with the tuned generator, whose files are those above
 *   index/<base|tuned>/     only with compare_base: the passages' vectors by each retriever, so that a stopped run embeds nothing twice
 *   searches.json           how passages were found, `searchesSchema`, and figures of other searches on the same questions: BM25, and the
 *                           retriever's index searched the other way, with BM25 or by its vectors alone
 *   by-kind.json            only where questions are of several kinds: of each kind its `questions`, and `figures` as score.json has them
 *   all_args.json           settings and the prompt's format
 *   completions.jsonl       every answer and verdict as it arrived, of all combinations
 *   manifest.test-e2e.json  the run record, one for the whole folder: cells have none of their own
 *
 * Keys of a prediction besides question, gold_docs, retrieved_docs, gold_answer and generated_answer:
 *
 *   question_id       `questionId`: equal in every run over the same question; what pairs runs and what labels are given to
 *   chat_history      the dialogue before the question
 *   split_by          how the questions were split, `splitProcedureOf` of the row
 *   question_kind     as the row says; absent where it does not
 *   passages          what the prompt held: `retrieved`, `gold` (the upper bound) or `none` (the lower bound)
 *   retrieval_scores  similarity of each of retrieved_docs; both are empty when the passages were not retrieved
 *   scores            figures of the answer under their short names (rougeL, f1, …) and, when passages were retrieved,
 *                     documents, fraction, ndcg, reciprocal_rank and gold_ranks
 *   figures           this question's share in score.json, under the same names (docs/figures.md): `test_retr/document_recall/recall4`,
 *                     `test_retr/mrr@4` (and `test_retr/mrr`, as earlier versions wrote it, within whatever depth), `test_gen/f1`,
 *                     `test_gen/gpt4_acc` (1 or 0; absent without a verdict). A figure of score.json that has an interval is the mean
 *                     of the rows' figures of that name, over the rows that have it
 *   judge             { verdict: correct | incorrect | unparsed | failed, reply } and, with judge_repeats, `verdicts` of all repeats
 *   citations         only of a generator that cites: { number, valid, right } of each citation, in the order of the answer
 *   faithfulness      only with judge_faithfulness: { verdict: faithful | unfaithful | unparsed | failed, reply }
 *   refused           only with no_answer_eval: whether the answer says that there is none
 *   without_gold      only with no_answer_eval: { retrieved_docs, generated_answer, refused, finish_reason, … } of the same question, asked
 *                     once more from passages that do not hold its answer
 *   finish_reason, seconds, dropped_passages, error   how the answer came about
 */

/** The question in a dialogue, with its gold passages: what makes two lines of two files the same test question. */
export interface IdentifiedQuestion {
  question: string;
  chat_history?: readonly Pick<ChatTurn, "speaker" | "message">[];
  gold_docs: readonly Pick<Document, "page_content" | "metadata">[];
}

/** Stable id of a test question: the first 16 hexadecimal digits of a hash of question, dialogue and gold passages. */
export function questionId({ question, chat_history = [], gold_docs }: IdentifiedQuestion): string {
  const turns = chat_history.map(({ speaker, message }) => [speaker, message]);
  return hashText(JSON.stringify([question, turns, gold_docs.map(documentKey)])).slice(0, 16);
}

const figuresSchema = z.record(z.string(), z.union([z.number(), z.tuple([z.number(), z.number()])]));
const generatorSchema = z.enum(["base", "tuned"]);

/** One combination of what is in the prompt and who answers. */
const cellSchema = z.looseObject({
  /** `base-retriever_tuned-generator`, `gold-passages_tuned-generator`, `no-passages_base-generator`, … */
  name: z.string(),
  /** For tables: `tuned retriever + base generator`. */
  label: z.string(),
  /** Where the passages came from; `gold` is the upper bound, `none` the lower one. */
  passages: z.enum(["none", "base", "tuned", "gold"]),
  generator: generatorSchema,
  /** Folder of its files, relative to two-by-two.json: `.` or `cells/<name>`. */
  folder: z.string(),
  /** Content of its score.json. */
  figures: figuresSchema,
});

/** One half exchanged, all else equal: the second cell minus the first, question by question. */
const effectSchema = z.looseObject({
  /** What was exchanged. */
  part: z.enum(["retriever", "generator", "both"]),
  /** Names of cells. */
  from: z.string(),
  to: z.string(),
  /** Name in score.json. */
  figure: z.string(),
  difference: z.number(),
  ci95: z.tuple([z.number(), z.number()]).optional(),
  p_value: z.number(),
  wins: z.number(),
  losses: z.number(),
  ties: z.number(),
  /** Where questions share sources, how many: interval and p are by source then. */
  sources: z.number().optional(),
});

/** `two-by-two.json`. */
export const twoByTwoSchema = z.looseObject({
  version: z.literal(1),
  /** Number of test questions; every cell answered the same ones. */
  questions: z.number(),
  /** Names of the models as given; base and tuned are equal where only one half was trained. */
  models: z.object({
    retriever: z.object({ base: z.string(), tuned: z.string() }),
    generator: z.object({ base: z.string(), tuned: z.string() }),
  }),
  /** By generator, base first; within it none, base, tuned, gold. Without a second retriever or generator the base's are absent. */
  cells: z.array(cellSchema),
  effects: z.array(effectSchema),
});

export type TwoByTwo = z.infer<typeof twoByTwoSchema>;
export type TwoByTwoCell = z.infer<typeof cellSchema>;
export type TwoByTwoEffect = z.infer<typeof effectSchema>;

/** Figures by kind of question, beside score.json. */
export const BY_KIND_FILE = "by-kind.json";

export const SEARCHES_FILE = "searches.json";

const usedSearchSchema = z.looseObject({
  retrieval: z.enum(["dense", "bm25", "hybrid"]),
  bm25_weight: z.number().optional(),
  reranker: z.string().optional(),
  rerank_top_n: z.number().optional(),
  rerank_weight: z.number().optional(),
});

/** `searches.json`. */
export const searchesSchema = z.looseObject({
  version: z.literal(1),
  questions: z.number(),
  /** As `splitProcedureOf` tells of the questions. */
  split_by: z.string(),
  /** How each retriever of the test searched; without a comparison the tuned one is the one that was tested. */
  used: z.object({ base: usedSearchSchema.optional(), tuned: usedSearchSchema.optional() }),
  /** Searches that answered nothing, with their figures as in score.json. */
  alone: z.array(usedSearchSchema.extend({ model: z.string().optional(), figures: figuresSchema })),
});

export type SearchesFile = z.infer<typeof searchesSchema>;
