import { sourceData } from "@rag-ft/answer";
import type { Context } from "hono";
import { z } from "zod";
import { jsonBody } from "./json-body.js";
import { passageById } from "./passage-ids.js";
import { Refusal } from "./refusal.js";
import type { ServerParts } from "./server-parts.js";

const value = z.union([z.string(), z.number(), z.boolean()]);

const requestSchema = z.strictObject({
  query: z.string().regex(/\S/, "a query has words"),
  limit: z.number().int().min(1).max(100).default(10),
  offset: z.number().int().min(0).max(10_000).default(0),
  filter: z.record(z.string(), z.union([value, z.array(value)])).optional(),
});

/** `POST /v1/search`: passages for a question, best first, a page of them. */
export function search({ system, metrics }: Pick<ServerParts, "system" | "metrics">) {
  return async (context: Context): Promise<Response> => {
    const { query, ...options } = await jsonBody(context, requestSchema);
    const measured = metrics.search.startTimer();
    const found = await system().search(query, { ...options, signal: context.req.raw.signal });
    measured();
    return context.json({ results: found.map(sourceData) });
  };
}

/** `GET /v1/passages/:id`: one passage of the database. */
export function passage({ system }: Pick<ServerParts, "system">) {
  return (context: Context): Response => {
    const id = context.req.param("id") ?? "";
    const document = passageById(system().documents, id);
    if (!document) throw new Refusal(404, "no_such_passage", `There is no passage ${JSON.stringify(id)}.`);
    const { score: _, ...data } = sourceData({ document, score: 0 });
    return context.json(data);
  };
}
