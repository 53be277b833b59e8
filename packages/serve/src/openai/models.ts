import type { Context } from "hono";
import { Refusal } from "../refusal.js";
import type { SystemNames } from "../server-parts.js";

/** Name by which the whole system may be asked for, whatever its parts are called. */
export const SYSTEM_MODEL = "rag-ft";

/** @throws Refusal when a request names a model that is not served: an answer of another would be taken for its. */
export function requireModel(model: string, served: readonly (string | undefined)[]): void {
  const names = [SYSTEM_MODEL, ...served.filter((name) => name !== undefined)];
  if (names.includes(model)) return;
  throw new Refusal(
    404,
    "model_not_found",
    `There is no model ${JSON.stringify(model)} here. There is: ${names.join(", ")}.`,
  );
}

/** `GET /v1/models`, and one of them: a name may have a slash. */
export function models({ generator, retriever }: SystemNames) {
  const created = Math.floor(Date.now() / 1000);
  const ids = [...new Set([SYSTEM_MODEL, generator, ...(retriever === undefined ? [] : [retriever])])];
  const data = ids.map((id) => ({ id, object: "model", created, owned_by: "rag-ft" }));
  return {
    list: (context: Context): Response => context.json({ object: "list", data }),
    one(context: Context): Response {
      const name = context.req.param("id") ?? "";
      requireModel(name, ids);
      return context.json(data.find(({ id }) => id === name));
    },
  };
}
