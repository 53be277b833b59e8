import { join, resolve } from "node:path";
import {
  choosePromptFormat,
  type Document,
  type PlanContext,
  type PlannedRequests,
  type QaRow,
  readQa,
  type StagePlan,
} from "@rag-ft/core";
import { openCompletionStore, planRequests, readPrices, STORE_NAME } from "@rag-ft/llm";
import { chatGenerator } from "./generator.js";
import { resolveGeneratorName } from "./generator-name.js";
import { judgeRequest } from "./judge-answers.js";
import { answerOptions, apiIdentity } from "./open-generator.js";
import type { TestE2eSettings } from "./settings.js";

/** Tokens of an answer, and of a judge's verdict with its explanation. */
const TYPICAL_ANSWER = 65;
const TYPICAL_VERDICT = 70;

/** What will be retrieved is not known: the gold passages and their neighbours are of the same length. */
function standInPassages({ gold_docs, hard_neg_docs }: QaRow, count: number): Document[] {
  const known = [...gold_docs, ...hard_neg_docs];
  return Array.from({ length: count }, (_, i) => known[i % known.length] as Document);
}

/** The requests of a test: answers of a generator behind an API, and the judge's verdicts. */
export async function planTestE2e(
  settings: TestE2eSettings,
  { env, planned, reporter }: PlanContext,
): Promise<StagePlan> {
  const fromPlan = planned.get(resolve(settings.eval_data_path)) as QaRow[] | undefined;
  const rows = (fromPlan ?? (await readQa(settings.eval_data_path, reporter))).slice(0, settings.max_test_samples);
  const store = await openCompletionStore(join(settings.output_dir, STORE_NAME), { readOnly: true });
  const common = { stage: "test-e2e", store, prices: await readPrices(settings.prices), batch: settings.batch };
  const requests: PlannedRequests[] = [];
  const found = rows.map((row) => standInPassages(row, settings.embedding_max_num_to_retrieve));

  const name = await resolveGeneratorName(settings.qa_model_name_or_path, env);
  if (name.kind === "openai") {
    const identity = apiIdentity(name.model, env);
    const plan = planRequests({
      ...common,
      purpose: "answers",
      model: name.model,
      identity,
      typicalReply: TYPICAL_ANSWER,
    });
    const unasked = {
      name: name.model,
      provider: "openai" as const,
      complete: () => Promise.reject(),
      close: async () => {},
    };
    const { system_text } = choosePromptFormat(undefined, settings);
    const generator = chatGenerator(unasked, identity, system_text, answerOptions(settings));
    for (const [i, row] of rows.entries()) {
      const request = { question: row.question, history: row.chat_history, passages: found[i] ?? [] };
      const { messages, options } = generator.prepare(request);
      await plan.add(messages, options);
    }
    requests.push(plan.result());
  }
  if (settings.gen_gpt4eval) {
    const model = settings.judge_model.replace(/^openai:/, "");
    const plan = planRequests({ ...common, purpose: "judge", model, typicalReply: TYPICAL_VERDICT });
    for (const [i, row] of rows.entries()) {
      const item = { question: row.question, answer: row.gold_answer, gold: row.gold_docs, retrieved: found[i] ?? [] };
      const { messages, options } = judgeRequest(item, {
        timeout_ms: settings.request_timeout * 1000,
        seed: settings.seed,
      });
      await plan.add(messages, options);
    }
    requests.push(plan.result());
  }
  return { requests, files: new Map() };
}
