import { shardSetting } from "@rag-ft/core";
import type { z } from "zod";
import { mcpSettings } from "../mcp/settings.js";

/** Settings of `index`: those of a search, but for what reorders its passages. */
export const indexSettings = mcpSettings
  .omit({
    reranker: true,
    rerank_top_n: true,
    rerank_weight: true,
    rerank_int8: true,
  })
  .extend({ shard: shardSetting("each worker of n embeds its share of the passages into index_path") });

export type IndexSettings = z.infer<typeof indexSettings>;
