import { type Document, isInShard, type Shard, type StageContext, streamDocuments } from "@rag-ft/core";
import { openIndex, openPassageEncoder } from "@rag-ft/retrieval";
import type { OpenSearchOptions } from "./open-rag-options.js";

/**
 * Embeds one worker's share of a database into its index, which keeps vectors by their text: workers on one folder write files of their own, and the folders of
 * several machines are one when their files are in one.
 */
export async function embedPassages(
  {
    embedding_model_name_or_path: model,
    document_path,
    index_path,
    truncate_dim,
    device = "cpu",
  }: OpenSearchOptions & { index_path: string },
  shard: Shard,
  { env, reporter, signal }: StageContext,
): Promise<{ own: number; all: number }> {
  const own: Document[] = [];
  let all = 0;
  for await (const document of streamDocuments(document_path)) if (isInShard(shard, all++)) own.push(document);
  const options = { env, reporter, signal, device, keepIn: index_path, truncateDim: truncate_dim };
  const encoder = await openPassageEncoder(model, options);
  try {
    const store = { kind: "memory" as const };
    const index = await openIndex(own, encoder, { indexPath: index_path, reporter, signal, store });
    await index.store.close();
  } finally {
    await encoder.close();
  }
  return { own: own.length, all };
}
