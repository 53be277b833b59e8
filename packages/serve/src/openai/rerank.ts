import { rerankTexts } from "@rag-ft/answer";
import type { Context } from "hono";
import { z } from "zod";
import { jsonBody } from "../json-body.js";
import type { ServerParts } from "../server-parts.js";
import { requireModel } from "./models.js";

/** Texts of one request. */
const MOST_TEXTS = 1000;

const documentSchema = z.union([
  z.string().min(1),
  z.looseObject({ text: z.string().min(1) }).transform(({ text }) => text),
]);

const requestSchema = z.looseObject({
  model: z.string(),
  query: z.string().min(1),
  documents: z.array(documentSchema).min(1).max(MOST_TEXTS),
  top_n: z.number().int().min(1).nullish(),
  return_documents: z.boolean().nullish(),
});

/** `POST /v1/rerank`, as Cohere and vLLM have it: texts by the inner product of the retriever's vectors with the query's. */
export function rerank({ system, names }: Pick<ServerParts, "system" | "names">) {
  return async (context: Context): Promise<Response> => {
    const { model, query, documents, top_n, return_documents } = await jsonBody(context, requestSchema);
    requireModel(model, [names.retriever]);
    const ranked = await rerankTexts(system(), query, documents, { signal: context.req.raw.signal });
    const results = ranked.slice(0, top_n ?? documents.length).map(({ index, score }) => ({
      index,
      relevance_score: score,
      ...(return_documents === true ? { document: { text: documents[index] } } : {}),
    }));
    return context.json({ model: names.retriever ?? model, results });
  };
}
