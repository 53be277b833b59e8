import { type Answer, type AnswerRequest, answerQuestions, type Generator } from "@rag-ft/answer";
import type { Document, QaRow } from "@rag-ft/core";
import { type Asking, measure, REFUSAL_FIGURES } from "@rag-ft/metrics";
import { holdsPassage, withoutGold } from "@rag-ft/retrieval";
import { type AskJudgeOptions, askJudge } from "./ask-judge.js";
import type { CellContext } from "./cell-context.js";
import type { Judgement } from "./judge-answers.js";
import { REFUSAL_QUESTION, type RefusalCase } from "./refusal-judge.js";

/** From this ROUGE-L with the gold answer on, an answer counts as right where no judge says so; as the report's table of predictions has it. */
const RIGHT_ROUGE_L = 0.3;

/** What was asked and answered with the passages that were found. */
export interface AskedAsUsual {
  request: AnswerRequest;
  answer: Answer;
  /** Figures of the answer by their short names. */
  score: Readonly<Record<string, number>>;
  judgement?: Judgement | undefined;
}

/** A question's part of what `no_answer_eval` adds. */
export interface RefusalResult {
  /** By their names in files, without the part. */
  figures: Record<string, number>;
  /** More keys of the prediction. */
  keys: {
    refused: boolean;
    without_gold: Omit<Answer, "text"> & { retrieved_docs: Document[]; generated_answer: string; refused: boolean };
  };
}

export interface Refusals {
  results: RefusalResult[];
  counts: Record<string, number>;
  /** What the figures do not show. */
  remarks: string[];
}

/** Whether what is left of the passages in the prompt holds every gold passage, or one that holds it. */
function isAnswerable({ gold_docs }: QaRow, passages: readonly Document[], { dropped_passages }: Answer): boolean {
  const kept = passages.slice(0, passages.length - dropped_passages);
  return gold_docs.every((gold) => kept.some((passage) => holdsPassage(passage, gold)));
}

/** Whether an answer is right: as the judge says, where there is one, which may have no verdict; else by its overlap with the gold answer. */
function isRight({ judgement, score }: AskedAsUsual): boolean | undefined {
  if (judgement) {
    const { verdict } = judgement;
    return verdict === "correct" || verdict === "incorrect" ? verdict === "correct" : undefined;
  }
  return (score.rougeL_unicode ?? score.rougeL ?? 0) >= RIGHT_ROUGE_L;
}

/** Which answers refuse: by their words, and where these do not say so, as the judge says. */
async function refused(
  asked: readonly RefusalCase[],
  { refuses, judge }: Pick<CellContext, "refuses" | "judge">,
  options: AskJudgeOptions,
): Promise<{ refused: boolean[]; problems: string[] }> {
  const byWords = asked.map(({ answer }) => refuses(answer));
  if (!judge) return { refused: byWords, problems: [] };
  // A model that says the same both times is judged once.
  const keyOf = ({ question, answer }: RefusalCase): string => JSON.stringify([question, answer]);
  const doubtful = new Map(asked.filter((_, i) => !byWords[i]).map((item) => [keyOf(item), item]));
  const cases = [...doubtful.values()];
  const { outcomes, problems } = await askJudge(judge, REFUSAL_QUESTION, cases, { ...options, repeats: 1 });
  const judged = new Set(cases.filter((_, i) => outcomes[i]?.[0]?.verdict === "refused").map(keyOf));
  return { refused: asked.map((item, i) => byWords[i] === true || judged.has(keyOf(item))), problems };
}

/** The passages of a question's prompt without its gold ones: as many as it has with them, where so many were found. */
export function passagesWithoutGold(row: QaRow, found: readonly Document[], count: number): Document[] {
  return withoutGold(found, row.gold_docs, row.gold_answer).slice(0, count);
}

/**
 * Asks every question once more from passages that do not hold its answer, and tells which answers of both askings refuse, rightly or not.
 *
 * @param deeper What the search found for each question, deeper than a prompt goes.
 */
export async function evaluateRefusals(
  asUsual: readonly AskedAsUsual[],
  deeper: readonly Document[][],
  generator: Generator,
  context: CellContext,
  options: AskJudgeOptions,
): Promise<Refusals> {
  const { rows, settings } = context;
  const requests = asUsual.map(({ request }, i): AnswerRequest => {
    const passages = passagesWithoutGold(rows[i] as QaRow, deeper[i] ?? [], settings.embedding_max_num_to_retrieve);
    return { ...request, passages };
  });
  const { answers, failures } = await answerQuestions(generator, requests, {
    ...options,
    label: "answering questions without their gold passages",
  });
  const texts = [...asUsual.map(({ answer }) => answer.text), ...answers.map(({ text }) => text)];
  const { refused: all, problems } = await refused(
    texts.map((answer, i) => ({ question: rows[i % rows.length]?.question ?? "", answer })),
    context,
    options,
  );
  const results = asUsual.map((usual, i): RefusalResult => {
    const { text, ...how } = answers[i] as Answer;
    const [before = false, now = false] = [all[i], all[rows.length + i]];
    const askings: Asking[] = [
      {
        answerable: isAnswerable(rows[i] as QaRow, usual.request.passages, usual.answer),
        refused: before,
        right: isRight(usual),
      },
      { answerable: false, refused: now },
    ];
    const asked = { retrieved_docs: [...(requests[i]?.passages ?? [])], generated_answer: text, refused: now, ...how };
    return { figures: measure(REFUSAL_FIGURES, askings), keys: { refused: before, without_gold: asked } };
  });
  const failed = answers.filter(({ error }) => error !== undefined).length;
  const bare = requests.filter(({ passages }) => passages.length === 0).length;
  return {
    results,
    counts: { no_answer_failed: failed, no_answer_without_passages: bare },
    remarks: [
      ...(bare > 0
        ? [`${bare} of ${rows.length} questions without their gold passages had no other passage in their prompt.`]
        : []),
      ...(failed > 0
        ? [
            `${failed} of ${rows.length} answers without the gold passage failed and count as answered wrongly:`,
            ...failures,
          ]
        : []),
      ...problems,
    ],
  };
}
