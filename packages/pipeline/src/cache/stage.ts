import { formatTable, number, type Stage } from "@rag-ft/core";
import { z } from "zod";

const settings = z.object({
  action: z.enum(["list", "clean"]).default("list").describe("list what is there, or remove it"),
  keep_gb: number((n) => n.min(0))
    .default(0)
    .describe("clean: gigabytes to leave, of what was used last"),
});

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(2);

/** What `RAG_FT_CACHE` holds: ONNX graphs that were made of local generators, each as large as its weights. They are made anew when needed. */
export const cache: Stage<z.infer<typeof settings>> = {
  name: "cache",
  summary: "List or remove the ONNX graphs that were made of local generators",
  settings,
  positionals: ["action"],
  inputs: [],
  async run({ action, keep_gb }, { env }) {
    const { cachedGraphs, graphCacheFolder, shrinkGraphCache } = await import("@rag-ft/models");
    const removed = action === "clean" ? await shrinkGraphCache(env, keep_gb * 1e9) : [];
    const there = await cachedGraphs(env);
    const sum = (graphs: typeof there): string => gigabytes(graphs.reduce((bytes, graph) => bytes + graph.bytes, 0));
    const rows = there.map(({ folder, bytes, lastUsed }) => ({
      graph: folder,
      GB: gigabytes(bytes),
      used: new Date(lastUsed).toISOString().slice(0, 10),
    }));
    const summary = [
      ...(action === "clean" ? [`${removed.length} graphs removed, ${sum(removed)} GB`] : []),
      ...(rows.length > 0 ? [formatTable(rows, ["graph", "GB", "used"])] : []),
      `${graphCacheFolder(env)}: ${there.length} graphs, ${sum(there)} GB`,
    ];
    return { outputs: [], summary: summary.join("\n") };
  },
};
