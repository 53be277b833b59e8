import { innerProduct } from "@rag-ft/retrieval";
import type { EmbedTextsOptions, RagSearch } from "./rag-search.js";

/** A text's place in the list that was given, and its score. */
export interface RankedText {
  index: number;
  score: number;
}

/**
 * Texts by the inner product of the encoder's vectors with the query's (no cross-encoder), best first, equal scores as they were given.
 *
 * @throws UserError where the search is by words alone.
 */
export async function rerankTexts(
  search: Pick<RagSearch, "embed">,
  query: string,
  texts: readonly string[],
  options: EmbedTextsOptions = {},
): Promise<RankedText[]> {
  const [[of] = [], vectors] = await Promise.all([
    search.embed([query], "query", options),
    search.embed(texts, "passage", options),
  ]);
  return vectors
    .map((vector, index) => ({ index, score: of ? innerProduct(of, vector) : 0 }))
    .sort((a, b) => b.score - a.score || a.index - b.index);
}
