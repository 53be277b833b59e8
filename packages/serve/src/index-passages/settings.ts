import { mcpSettings } from "../mcp/settings.js";

/** Settings of `index`: those of a search. */
export const indexSettings = mcpSettings;

export type { McpSettings as IndexSettings } from "../mcp/settings.js";
