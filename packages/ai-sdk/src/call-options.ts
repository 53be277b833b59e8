import { InvalidArgumentError, type SharedV4ProviderOptions, type SharedV4Warning } from "@ai-sdk/provider";
import { z } from "zod";

const value = z.union([z.string(), z.number(), z.boolean()]);

const schema = z.strictObject({
  limit: z.number().int().min(1).optional(),
  filter: z.record(z.string(), z.union([value, z.array(value)])).optional(),
  inputType: z.enum(["query", "passage"]).optional(),
});

/** What a call's `providerOptions.ragFt` may hold. */
export interface RagFtOptions {
  /** Answers: passages in the prompt. */
  limit?: number;
  /** Answers: only from passages whose metadata fits. */
  filter?: Record<string, string | number | boolean | (string | number | boolean)[]>;
  /** Embeddings: what the texts are, since many encoders have a prefix for each; `query` when left out. */
  inputType?: "query" | "passage";
}

/** @throws InvalidArgumentError when they are not understood: a filter that is misspelt must not answer from everything. */
export function ragFtOptions(given: SharedV4ProviderOptions | undefined): RagFtOptions {
  const parsed = schema.safeParse(given?.ragFt ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join(": "));
  throw new InvalidArgumentError({
    argument: "providerOptions.ragFt",
    message: `providerOptions.ragFt: expected limit, filter (of a language model) or inputType (of an embedding model): ${problems.join("; ")}.`,
    cause: parsed.error,
  });
}

/** A warning for each of these that a call gives and this model leaves out. */
export function leftOut(given: Readonly<Record<string, unknown>>, details: string): SharedV4Warning[] {
  return Object.entries(given).flatMap(([feature, used]) =>
    used === undefined || used === false ? [] : [{ type: "unsupported" as const, feature, details }],
  );
}
