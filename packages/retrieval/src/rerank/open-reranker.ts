import type { StageContext } from "@rag-ft/core";
import { openScorer, type PairScorer, type Precision, precisionHere } from "@rag-ft/models";
import { checkReranking, type RerankSettings } from "./rerank-settings.js";
import { DEFAULT_RERANK_WEIGHT } from "./rerank-weight.js";
import type { RerankOptions } from "./reranked-retriever.js";
import { RERANKER_FILE, readRerankerFile } from "./reranker-file.js";

/** Passages that are reordered where nothing says how many. */
export const DEFAULT_RERANK_TOP_N = 20;

/** A reranker that is ready. */
export interface OpenedReranker extends RerankOptions {
  /** As it was named. */
  model: string;
  scorer: PairScorer;
}

export interface OpenRerankerOptions extends StageContext {
  device?: string | undefined;
  /** As of an encoder (`openPassageEncoder`). */
  precision?: Precision | undefined;
}

/**
 * The reranker that the settings name; undefined where they name none, or its eval questions chose weight 0 for it: then nothing is loaded.
 * A line says how it is used.
 *
 * @throws UserError, DataError where the model, or what stands beside it, does not fit.
 */
export async function openReranker(
  settings: RerankSettings,
  { device, precision = "fp32", ...context }: OpenRerankerOptions,
): Promise<OpenedReranker | undefined> {
  checkReranking(settings);
  const { reranker: model } = settings;
  if (model === undefined) return undefined;
  const { info } = context.reporter;
  const file = await readRerankerFile(model);
  const weight = settings.rerank_weight ?? file?.rerank_weight ?? DEFAULT_RERANK_WEIGHT;
  const topN = settings.rerank_top_n ?? file?.rerank_top_n ?? DEFAULT_RERANK_TOP_N;
  const from = settings.rerank_weight !== undefined ? "as given" : file ? `from its ${RERANKER_FILE}` : "the default";
  if (weight === 0) {
    info(`${model}: weight 0 (${from}): passages stay in the search's order, and the reranker is not loaded`);
    return undefined;
  }
  const scorer = await openScorer(model, {
    ...context,
    truncation: "only_second",
    ...(device === undefined ? {} : { device }),
    precision: precisionHere(precision, device ?? "cpu", context.reporter),
    ...(settings.rerank_int8 ? { int8: true } : {}),
  });
  info(
    `${model}: the first ${topN} passages are reordered, ${1 - weight} search + ${weight} reranker (${from})${settings.rerank_int8 ? ", in 8 bits" : ""}`,
  );
  return { model, scorer, topN, weight };
}
