import type { Stage } from "@rag-ft/core";
import { runIndex } from "./index-passages/run-index.js";
import { type IndexSettings, indexSettings } from "./index-passages/settings.js";
import { runMcp } from "./mcp/run-mcp.js";
import { type McpSettings, mcpSettings } from "./mcp/settings.js";
import { runServe } from "./run-serve.js";
import { type ServeSettings, serveSettings } from "./settings.js";

export { type IndexSettings, indexSettings } from "./index-passages/settings.js";
export { type McpSettings, mcpSettings } from "./mcp/settings.js";
export { type ServeSettings, serveSettings } from "./settings.js";

/** `rag-ft serve`: OpenAI's routes, a chat page and MCP over one tuned system. */
export const serve: Stage<ServeSettings> = {
  name: "serve",
  summary: "serve a tuned system: a chat page, OpenAI's routes, search and MCP",
  settings: serveSettings,
  positionals: ["run"],
  inputs: [],
  run: runServe,
};

/** `rag-ft mcp`: the database for an editor or an assistant, over standard input and output. */
export const mcp: Stage<McpSettings> = {
  name: "mcp",
  summary: "let an editor or assistant search the passages: MCP over standard input and output",
  settings: mcpSettings,
  positionals: ["run"],
  inputs: [],
  run: runMcp,
};

/** `rag-ft index`: the vectors of a database, so that `ask` and `serve` start at once. */
export const index: Stage<IndexSettings> = {
  name: "index",
  summary: "embed what is new or changed in a database, before ask or serve needs it",
  settings: indexSettings,
  positionals: ["run"],
  inputs: [],
  isShare: ({ shard }) => shard !== undefined,
  run: runIndex,
};
