import { join } from "node:path";
import { type PlannedRequests, pathKind, type QuestionsRow, type StageContext } from "@rag-ft/core";
import {
  openCompletionStore,
  openForeignLanguage,
  openStoredModel,
  planRequests,
  type RequestTally,
  readDomainConfig,
  readPrices,
  STORE_NAME,
  writeSkipped,
} from "@rag-ft/llm";
import { openScorer } from "@rag-ft/models";
import { checkJudge, modelJudge, relevanceRequest, rerankerJudge } from "./judges.js";
import type { RelevanceJudge } from "./relabel.js";
import type { MineNegativesSettings } from "./settings.js";

/** Tokens of a yes or no. */
const TYPICAL_VERDICT = 6;

/** What a run with a judge adds to its result. */
export interface Judging {
  judge: RelevanceJudge;
  /** Where its requests, and those of vectors, are counted. */
  tally?: RequestTally;
  lines(): Promise<string[]>;
  close(): Promise<void>;
}

/** The judge that is named: a reranker's folder, else an LLM; undefined without one. */
export async function openJudge(settings: MineNegativesSettings, context: StageContext): Promise<Judging | undefined> {
  checkJudge(settings);
  const { relabel_with: named, device, save_dir: folder } = settings;
  if (named === undefined) return undefined;
  if ((await pathKind(named)) === "folder") {
    const scorer = await openScorer(named, { ...context, device, truncation: "only_second" });
    const judge = rerankerJudge(scorer, named, context.signal);
    return { judge, lines: async () => [], close: scorer.close };
  }
  const domain = await readDomainConfig(settings.config);
  const model = await openStoredModel(named, { ...context, device, settings, purpose: "mine-negatives", folder });
  const languageOf = await openForeignLanguage(domain);
  const judge = modelJudge(model, domain, languageOf, { ...settings, relabel_with: named }, context.signal);
  return {
    judge,
    tally: model.tally,
    lines: async () => [
      ...judge.failures.lines().map((line) => `Without a verdict, and neither negative nor positive: ${line}`),
      ...(await writeSkipped(folder, "skipped_verdicts.jsonl", judge.failures)),
    ],
    close: model.close,
  };
}

/** What an LLM will be asked: of each question as many negatives as are wanted, each of which may be asked about once more where one turns out to be none. */
export async function planVerdicts(
  settings: MineNegativesSettings,
  splits: readonly { rows: readonly QuestionsRow[] }[],
): Promise<PlannedRequests[]> {
  checkJudge(settings);
  const { relabel_with: named, save_dir, num_hard_negs_per_doc: count } = settings;
  if (named === undefined || (await pathKind(named)) === "folder") return [];
  const domain = await readDomainConfig(settings.config);
  const languageOf = await openForeignLanguage(domain);
  const plan = planRequests({
    ...{ stage: "mine-negatives", purpose: "verdicts", model: named, typicalReply: TYPICAL_VERDICT },
    store: await openCompletionStore(join(save_dir, STORE_NAME), { readOnly: true }),
    prices: await readPrices(settings.prices),
    batch: settings.batch,
  });
  for (const row of splits.flatMap(({ rows }) => rows)) {
    // What will be mined is not known: passages are of the same length.
    const [standIn] = [...row.hard_neg_docs, ...row.gold_docs];
    if (!standIn) continue;
    const language = languageOf(standIn.page_content);
    for (const question of row.questions) {
      const how = { ...settings, relabel_with: named };
      const { messages, options } = relevanceRequest(domain, how, row, standIn, question, language);
      for (let nth = 0; nth < count; nth++) await plan.add(messages, options, nth);
    }
  }
  return [plan.result()];
}
