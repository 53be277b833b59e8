import type { Answer } from "@rag-ft/answer";
import { type Document, type QaRow, stripCitations } from "@rag-ft/core";
import { CITATION_FIGURES, FAITHFULNESS_FIGURES, FAITHFULNESS_JUDGE_FIGURES, measure } from "@rag-ft/metrics";
import { type AskJudgeOptions, askJudge, type JudgedCase } from "./ask-judge.js";
import type { CellContext } from "./cell-context.js";
import { type CheckedCitation, checkCitations } from "./citations.js";
import { FAITHFULNESS_QUESTION, type FaithfulnessVerdict } from "./faithfulness-judge.js";

/** An answer with the passages that were found for it. */
export interface AnswerToGround {
  row: QaRow;
  answer: Answer;
  passages: readonly Document[];
  refused: boolean;
}

export type FaithfulnessJudgement = JudgedCase<FaithfulnessVerdict>;

/** How far an answer keeps to its passages. */
export interface Grounding {
  /** By their names in files, without the part. */
  figures: Record<string, number>;
  /** More keys of the prediction. */
  keys: { citations?: CheckedCitation[]; faithfulness?: FaithfulnessJudgement };
}

/** What was left of the passages in the prompt, in its order. */
const keptPassages = ({ passages, answer }: AnswerToGround): readonly Document[] =>
  passages.slice(0, passages.length - answer.dropped_passages);

/** What a judge of the answers' faithfulness says; of an answer that refuses, is empty or had no passage it is not asked. */
async function judged(
  answers: readonly AnswerToGround[],
  { judge, settings }: Pick<CellContext, "judge" | "settings">,
  options: AskJudgeOptions,
): Promise<{ judgements: Map<AnswerToGround, FaithfulnessJudgement>; problems: string[] }> {
  if (!judge || !settings.judge_faithfulness) return { judgements: new Map(), problems: [] };
  const asked = answers.filter((one) => !one.refused && one.answer.text !== "" && keptPassages(one).length > 0);
  const cases = asked.map((one) => ({
    question: one.row.question,
    answer: stripCitations(one.answer.text),
    passages: keptPassages(one),
  }));
  const { outcomes, problems } = await askJudge(judge, FAITHFULNESS_QUESTION, cases, { ...options, repeats: 1 });
  return {
    judgements: new Map(asked.map((one, i) => [one, outcomes[i]?.[0] ?? { verdict: "failed", reply: "" }])),
    problems,
  };
}

/** Whether answers keep to their passages, by overlap and as a judge says, and, of a generator that cites, what they cite. */
export async function groundAnswers(
  answers: readonly AnswerToGround[],
  context: CellContext,
  options: AskJudgeOptions,
): Promise<{ groundings: Grounding[]; problems: string[] }> {
  const { judgements, problems } = await judged(answers, context, options);
  const groundings = answers.map((one): Grounding => {
    const kept = keptPassages(one);
    const { row, answer, refused } = one;
    if (refused || kept.length === 0) return { figures: {}, keys: {} };
    const citations = context.citations ? checkCitations(answer.text, kept, row.gold_docs) : undefined;
    const faithfulness = judgements.get(one);
    const text = citations ? stripCitations(answer.text) : answer.text;
    const passages = kept.map(({ fmt_content }) => fmt_content);
    return {
      figures: {
        ...(faithfulness ? measure(FAITHFULNESS_JUDGE_FIGURES, faithfulness) : {}),
        ...measure(FAITHFULNESS_FIGURES, { answer: text, passages }),
        ...(citations ? measure(CITATION_FIGURES, { citations }) : {}),
      },
      keys: { ...(citations ? { citations } : {}), ...(faithfulness ? { faithfulness } : {}) },
    };
  });
  return { groundings, problems };
}
