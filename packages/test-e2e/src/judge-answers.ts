import type { ChatMessage, CompletionOptions, LanguageModel } from "@rag-ft/llm";
import {
  type AskJudgeOptions,
  askJudge,
  caseRequest,
  type JudgeQuestion,
  type JudgeRequestOptions,
  type OutcomeOf,
} from "./ask-judge.js";
import { type JudgeCase, judgeMessages, parseVerdict, VERDICT_SCHEMA, type Verdict } from "./judge-prompt.js";

export type Outcome = OutcomeOf<Verdict>;

export interface Judgement {
  /** The first verdict, which is the one that counts: figures do not depend on the number of repeats. */
  verdict: Outcome;
  reply: string;
  /** All verdicts, the first among them, when the judge was asked more than once. */
  verdicts?: Outcome[];
}

export interface JudgedAnswers {
  judgements: Judgement[];
  /** Reasons of failed and unusable replies, most frequent first. */
  problems: string[];
}

const CORRECTNESS: JudgeQuestion<JudgeCase, Verdict> = {
  label: "judging answers",
  messages: judgeMessages,
  schema: VERDICT_SCHEMA,
  verdicts: '"correct" or "incorrect"',
  parse: parseVerdict,
  known: ({ answer }) =>
    answer.trim() === "" ? { verdict: "incorrect", reply: "Not sent: the answer is empty." } : undefined,
};

/** How the judge is asked about an answer: greedily. */
export function judgeRequest(
  item: JudgeCase,
  options: JudgeRequestOptions,
): { messages: ChatMessage[]; options: CompletionOptions } {
  return caseRequest(CORRECTNESS, item, options);
}

/** Asks the judge about every answer. An empty answer is incorrect without being sent. */
export async function judgeAnswers(
  judge: LanguageModel,
  cases: readonly JudgeCase[],
  options: AskJudgeOptions,
): Promise<JudgedAnswers> {
  const { outcomes, problems } = await askJudge(judge, CORRECTNESS, cases, options);
  const judgements = outcomes.map((own): Judgement => {
    const [first = { verdict: "failed", reply: "" }] = own;
    return options.repeats > 1 ? { ...first, verdicts: own.map(({ verdict }) => verdict) } : first;
  });
  return { judgements, problems };
}
