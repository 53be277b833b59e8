import { McpServer } from "@modelcontextprotocol/server";
import { type RagSearch, sourceData } from "@rag-ft/answer";
import { z } from "zod";
import { passageById } from "../passage-ids.js";

export interface PassageToolsOptions {
  search: () => RagSearch;
  version: string;
}

const found = z.object({ id: z.string(), title: z.string(), url: z.string(), text: z.string(), score: z.number() });
const fetched = z.object({
  id: z.string(),
  title: z.string(),
  text: z.string(),
  url: z.string(),
  metadata: z.record(z.string(), z.unknown()),
});

const result = <T extends Record<string, unknown>>(value: T) => ({
  content: [{ type: "text" as const, text: JSON.stringify(value) }],
  structuredContent: value,
});

/** A server with two tools over the database, in the form that chat clients cite from: `search` and `fetch`. */
export function passageTools({ search, version }: PassageToolsOptions): McpServer {
  const server = new McpServer({ name: "rag-ft", version }, { capabilities: { tools: {} } });
  server.registerTool(
    "search",
    {
      title: "Search the documentation",
      description: "Finds passages of the documentation for a question, best first, each with the address to cite.",
      inputSchema: z.object({
        query: z.string().regex(/\S/, "a query has words").describe("a question or words to look for"),
        limit: z.number().int().min(1).max(50).default(8).describe("passages wanted"),
      }),
      outputSchema: z.object({ results: z.array(found) }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ query, limit }) => {
      const passages = await search().search(query, { limit });
      const results = passages.map(sourceData).map(({ id, title, url, source, text, score }) => ({
        id,
        title: title ?? source,
        url: url ?? source,
        text,
        score,
      }));
      return result({ results });
    },
  );
  server.registerTool(
    "fetch",
    {
      title: "Fetch a passage",
      description: "Gives one passage that search has found, whole, with its place in the documentation.",
      inputSchema: z.object({ id: z.string().describe("the id that search gave") }),
      outputSchema: fetched,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    async ({ id }) => {
      const document = passageById(search().documents, id);
      if (!document) {
        return {
          content: [{ type: "text", text: `There is no passage ${JSON.stringify(id)}: take an id that search gave.` }],
          isError: true,
        };
      }
      const { title, url, source, text } = sourceData({ document, score: 0 });
      return result({ id, title: title ?? source, text, url: url ?? source, metadata: document.metadata });
    },
  );
  return server;
}
