import { describeIssues } from "@rag-ft/core";
import type { Context } from "hono";
import type { z } from "zod";
import { Refusal } from "./refusal.js";

/**
 * The body of a request, checked.
 *
 * @throws Refusal when it is not JSON, not said to be (a page of another site can send anything else without asking), or not what is expected.
 */
export async function jsonBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(context.req.header("content-type") ?? "")) {
    throw new Refusal(415, "not_json", "Send JSON, with content-type: application/json.");
  }
  let value: unknown;
  try {
    value = JSON.parse(await context.req.text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Refusal(400, "not_json", `The body is not valid JSON: ${error.message}`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Refusal(400, "invalid_request", `${describeIssues(parsed.error, "the body")}.`);
  return parsed.data;
}
