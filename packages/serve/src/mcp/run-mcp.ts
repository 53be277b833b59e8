import { once } from "node:events";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import { openSearch, searchOptions } from "@rag-ft/answer";
import { type StageContext, type StageResult, UserError } from "@rag-ft/core";
import { ownVersion } from "../own-version.js";
import { passageTools } from "./passage-tools.js";
import type { McpSettings } from "./settings.js";

/** Serves the tools over standard input and output until the client closes them, or the stage is stopped. */
export async function runMcp(settings: McpSettings, context: StageContext): Promise<StageResult> {
  const { terminal, signal, reporter } = context;
  if (!terminal) throw new UserError("mcp: speaks over standard input and output, and cannot be a stage of a run.");
  const search = await openSearch(await searchOptions(settings, context), context);
  try {
    const transport = new StdioServerTransport(terminal.input, terminal.output);
    const handle = serveStdio(() => passageTools({ search: () => search, version: ownVersion() }), {
      transport,
      onerror: (error) => reporter.warn(error.message),
    });
    reporter.info(`${search.documents.length} passages; speaking MCP over standard input and output`);
    const stopped = signal.aborted ? Promise.resolve() : once(signal, "abort");
    await Promise.race([stopped, once(terminal.input, "end"), once(terminal.input, "close")]);
    await handle.close();
  } finally {
    await search.close();
  }
  return { outputs: [] };
}
