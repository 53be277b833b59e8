import { embedPassages, openSearch, searchOptions } from "@rag-ft/answer";
import { parseShard, type StageContext, type StageResult, UserError } from "@rag-ft/core";
import type { IndexSettings } from "./settings.js";

/** Brings the kept vectors up to date with the database: only passages that are new or changed are embedded, and what was embedded before a stop is kept. */
export async function runIndex({ shard, ...settings }: IndexSettings, context: StageContext): Promise<StageResult> {
  const options = await searchOptions(settings, context);
  const { index_path: folder, retrieval, document_path, vector_store: store = "auto" } = options;
  if (retrieval === "bm25")
    throw new UserError("index: this system searches by words (retrieval bm25), which keeps no vectors.");
  const kept = ["auto", "memory", "hnsw"].includes(store) ? undefined : store;
  if (folder === undefined && kept === undefined)
    throw new UserError(
      "index: give --index_path, the folder that keeps the vectors, --vector_store lancedb or pgvector, or --run.",
    );
  if (shard !== undefined) {
    if (folder === undefined || kept !== undefined)
      throw new UserError(
        `index: shards are embedded into --index_path${kept === undefined ? "" : `, not into ${kept}`}. Give that alone; index without --shard, with --index_path too, then fills a store from there.`,
      );
    const { own, all } = await embedPassages({ ...options, index_path: folder }, parseShard(shard), context);
    return {
      outputs: [],
      figures: { passages: own },
      summary: `${folder}: the vectors of ${own} of ${all} passages of ${document_path}, shard ${shard}`,
    };
  }
  const search = await openSearch(options, context);
  const passages = search.documents.length;
  await search.close();
  return {
    outputs: [],
    figures: { passages },
    summary: `${kept ?? folder}: the vectors of all ${passages} passages of ${document_path}`,
  };
}
