import type { Document, PlannedRequests, QaRow } from "@rag-ft/core";
import { type PlanOptions, planRequests, type RequestPlan } from "@rag-ft/llm";
import { caseRequest, type JudgeQuestion } from "./ask-judge.js";
import { FAITHFULNESS_QUESTION } from "./faithfulness-judge.js";
import { judgeRequest } from "./judge-answers.js";
import { REFUSAL_QUESTION } from "./refusal-judge.js";
import type { TestE2eSettings } from "./settings.js";

/** Tokens of a verdict with its explanation. */
const TYPICAL_VERDICT = 70;

/** The prompts of a combination, a question each, and whether it is asked once more without its gold passages. */
export interface JudgedCell {
  prompts: readonly Document[][];
  askedWithoutGold: boolean;
}

export interface JudgePlanOptions extends Omit<PlanOptions, "purpose" | "typicalReply"> {
  settings: TestE2eSettings;
  rows: readonly QaRow[];
  /** Whether the judge is behind an API that can be held to a schema. */
  structured: boolean;
}

/** What the judge will be asked, at most: answers that refuse by their words are neither judged as refusals nor for their faithfulness. */
export async function planJudge(
  cells: readonly JudgedCell[],
  { settings, rows, structured, ...common }: JudgePlanOptions,
): Promise<PlannedRequests[]> {
  const { gen_gpt4eval, judge_faithfulness, judge_repeats, seed } = settings;
  const judging = { timeout_ms: settings.request_timeout * 1000, seed, structured };
  const planFor = (purpose: string): RequestPlan => planRequests({ ...common, purpose, typicalReply: TYPICAL_VERDICT });
  const asked = cells.flatMap(({ prompts, askedWithoutGold }) =>
    prompts.map((passages, i) => ({ row: rows[i] as QaRow, passages, askedWithoutGold })),
  );
  const add = async <Case>(plan: RequestPlan, question: JudgeQuestion<Case, string>, item: Case, times: number) => {
    const { messages, options } = caseRequest(question, item, judging);
    for (let time = 0; time < times; time++) await plan.add(messages, options, time);
  };
  const plans: RequestPlan[] = [];
  if (gen_gpt4eval) {
    const plan = planFor("judge");
    for (const { row, passages } of asked) {
      const { question, chat_history: history, gold_answer: answer, gold_docs: gold } = row;
      const { messages, options } = judgeRequest({ question, history, answer, gold, retrieved: passages }, judging);
      for (let repeat = 0; repeat < judge_repeats; repeat++) await plan.add(messages, options, repeat);
    }
    plans.push(plan);
  }
  if (judge_faithfulness) {
    const plan = planFor("faithfulness");
    for (const { row, passages } of asked.filter((one) => one.passages.length > 0)) {
      await add(plan, FAITHFULNESS_QUESTION, { question: row.question, answer: row.gold_answer, passages }, 1);
    }
    plans.push(plan);
  }
  if (asked.some(({ askedWithoutGold }) => askedWithoutGold)) {
    const plan = planFor("refusals");
    for (const { row } of asked.filter((one) => one.askedWithoutGold)) {
      await add(plan, REFUSAL_QUESTION, { question: row.question, answer: row.gold_answer }, 2);
    }
    plans.push(plan);
  }
  return plans.map((plan) => plan.result());
}
