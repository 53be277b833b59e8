import type { ShardSet, StageContext } from "@rag-ft/core";

/** How the shards of one stage become its file. */
export type Merging = (
  set: ShardSet,
  folder: string,
  context: StageContext,
) => Promise<{ outputs: string[]; figures: Record<string, number>; lines: string[] }>;
