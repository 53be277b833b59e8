import type { Stage } from "@rag-ft/core";
import { runMcp } from "./mcp/run-mcp.js";
import { type McpSettings, mcpSettings } from "./mcp/settings.js";
import { runServe } from "./run-serve.js";
import { type ServeSettings, serveSettings } from "./settings.js";

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
