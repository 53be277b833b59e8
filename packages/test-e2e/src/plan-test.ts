import { join, resolve } from "node:path";
import { answerOptions, apiIdentity, chatGenerator } from "@rag-ft/answer";
import {
  choosePromptFormat,
  type Document,
  type PlanContext,
  type PlannedRequests,
  type QaRow,
  readDocuments,
  readQa,
  retrievalQuery,
  type StagePlan,
} from "@rag-ft/core";
import {
  isEmbeddingModelName,
  openCompletionStore,
  planEmbeddings,
  planRequests,
  readPrices,
  resolveModelName,
  STORE_NAME,
} from "@rag-ft/llm";
import { comparedModels } from "./base-models.js";
import { type Cell, cellsOf, sidesOf } from "./cells.js";
import { planJudge } from "./plan-judge.js";
import type { TestE2eSettings } from "./settings.js";

/** Tokens of an answer. */
const TYPICAL_ANSWER = 65;

/** What will be retrieved is not known: the gold passages and their neighbours are of the same length. */
function standInPassages({ gold_docs, hard_neg_docs }: QaRow, count: number): Document[] {
  const known = [...gold_docs, ...hard_neg_docs];
  return Array.from({ length: count }, (_, i) => known[i % known.length] as Document);
}

/** The passages of a cell's prompts, for each question. */
function standInPrompts({ passages }: Cell, rows: readonly QaRow[], count: number): Document[][] {
  if (passages === "none") return rows.map(() => []);
  return rows.map((row) => (passages === "gold" ? row.gold_docs : standInPassages(row, count)));
}

/** Whether a cell's questions are asked once more without their gold passages: those whose passages are searched for. */
const isAskedWithoutGold = ({ passages }: Cell, { no_answer_eval }: TestE2eSettings): boolean =>
  no_answer_eval && passages !== "none" && passages !== "gold";

/** As long as what will be retrieved, and another prompt than the one with the gold passages. */
function standInsWithoutGold({ hard_neg_docs, gold_docs }: QaRow, count: number): Document[] {
  const known = hard_neg_docs.length > 0 ? hard_neg_docs : gold_docs;
  return Array.from({ length: count }, (_, i) => known[i % known.length] as Document);
}

/** The requests of a test: vectors and answers of models behind an API, and the judge's verdicts. */
export async function planTestE2e(
  settings: TestE2eSettings,
  { env, planned, reporter }: PlanContext,
): Promise<StagePlan> {
  const fromPlan = planned.get(resolve(settings.eval_data_path)) as QaRow[] | undefined;
  const rows = (fromPlan ?? (await readQa(settings.eval_data_path, reporter))).slice(0, settings.max_test_samples);
  const store = await openCompletionStore(join(settings.output_dir, STORE_NAME), { readOnly: true });
  const common = { stage: "test-e2e", store, prices: await readPrices(settings.prices), batch: settings.batch };
  const requests: PlannedRequests[] = [];
  const models = await comparedModels(settings, reporter);
  const cells = cellsOf(settings, models);
  const promptsOf = (cell: Cell): Document[][] => standInPrompts(cell, rows, settings.embedding_max_num_to_retrieve);

  const retrievers =
    settings.retrieval === "bm25" ? [] : sidesOf(models.retriever).map((side) => models.retriever[side]);
  for (const model of retrievers.filter(isEmbeddingModelName)) {
    const documents = planned.get(resolve(settings.document_path)) as Document[] | undefined;
    const passages = (documents ?? (await readDocuments(settings.document_path))).map(({ fmt_content }) => fmt_content);
    const questions = rows.map(retrievalQuery);
    requests.push(await planEmbeddings({ model, prices: common.prices, texts: [passages, questions] }));
  }
  for (const side of sidesOf(models.generator)) {
    const name = await resolveModelName(models.generator[side], env);
    if (name.kind !== "openai") continue;
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
    const format = choosePromptFormat(undefined, settings);
    const generator = chatGenerator(unasked, identity, format, answerOptions(settings));
    for (const cell of cells.filter((one) => one.generator === side)) {
      for (const [i, passages] of promptsOf(cell).entries()) {
        const row = rows[i] as QaRow;
        const asked = { question: row.question, history: row.chat_history, passages };
        const { messages, options } = generator.prepare(asked);
        await plan.add(messages, options);
        if (!isAskedWithoutGold(cell, settings)) continue;
        const without = generator.prepare({ ...asked, passages: standInsWithoutGold(row, passages.length) });
        await plan.add(without.messages, without.options);
      }
    }
    requests.push(plan.result());
  }
  if (settings.gen_gpt4eval || settings.judge_faithfulness) {
    const judge = await resolveModelName(settings.judge_model, env);
    const isApi = judge.kind === "openai";
    const asked = cells.map((cell) => ({
      prompts: promptsOf(cell),
      askedWithoutGold: isAskedWithoutGold(cell, settings),
    }));
    requests.push(
      ...(await planJudge(asked, {
        ...{ ...common, settings, rows, model: isApi ? judge.model : settings.judge_model },
        structured: settings.structured_outputs === "auto" && isApi,
      })),
    );
  }
  return { requests, files: new Map() };
}
