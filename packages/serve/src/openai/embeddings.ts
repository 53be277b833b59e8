import type { Context } from "hono";
import { z } from "zod";
import { jsonBody } from "../json-body.js";
import { Refusal } from "../refusal.js";
import type { ServerParts } from "../server-parts.js";
import { requireModel } from "./models.js";

/** Texts of one request. */
const MOST_TEXTS = 2048;

const textSchema = z.string().min(1, "an empty text has no vector");

const requestSchema = z.looseObject({
  model: z.string(),
  input: z.union([textSchema, z.array(textSchema).min(1).max(MOST_TEXTS)], {
    error: `a text, or a list of at most ${MOST_TEXTS} texts (token ids are not understood)`,
  }),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.number().int().min(1).nullish(),
  /** Questions and passages have prefixes of their own in many encoders. Names as rag-ft and as Cohere have them. */
  input_type: z.enum(["query", "passage", "search_query", "search_document"]).nullish(),
});

function base64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

/** `POST /v1/embeddings`: of questions, unless `input_type` says passages. */
export function embeddings({ system, names }: Pick<ServerParts, "system" | "names">) {
  return async (context: Context): Promise<Response> => {
    const { model, input, encoding_format, dimensions, input_type } = await jsonBody(context, requestSchema);
    requireModel(model, [names.retriever]);
    const texts = [input].flat();
    const kind = /^(?:passage|search_document)$/.test(input_type ?? "") ? "passage" : "query";
    let tokens: number | undefined;
    const onTokens = (count: number): void => {
      tokens = (tokens ?? 0) + count;
    };
    const vectors = await system().embed(texts, kind, { signal: context.req.raw.signal, onTokens });
    const made = vectors[0]?.length ?? 0;
    if (dimensions && dimensions !== made) {
      throw new Refusal(400, "unsupported", `dimensions: this encoder's vectors have ${made}.`);
    }
    return context.json({
      object: "list",
      model: names.retriever ?? model,
      ...(tokens === undefined ? {} : { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
      data: vectors.map((vector, index) => ({
        object: "embedding",
        index,
        embedding: encoding_format === "base64" ? base64(vector) : Array.from(vector),
      })),
    });
  };
}
