import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, describeIssues, UserError } from "@rag-ft/core";
import { z } from "zod";

/** `config.json` of a model folder, unchecked. */
export type RawConfig = Record<string, unknown>;

/** Reads `config.json`. */
export async function readConfig(folder: string): Promise<RawConfig> {
  const path = join(folder, "config.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new UserError(`${folder}: not a model folder: it has no config.json.`, { cause });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as RawConfig;
  } catch (cause) {
    throw new DataError(`${path}: not valid JSON.`, { cause });
  }
  throw new DataError(`${path}: expected a JSON object.`);
}

/**
 * Checks a config against an architecture's schema.
 *
 * @throws DataError naming the file and each key that the schema refuses.
 */
export function parseConfig<T>(schema: z.ZodType<T>, config: RawConfig, folder: string): T {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new DataError(
    `${join(folder, "config.json")} (${String(config.model_type)}): ${describeIssues(parsed.error)}`,
    {
      cause: parsed.error,
    },
  );
}

/** The one value of a key that a graph supports; `what` names the key's meaning in the message for any other. */
export function only<const T extends string | boolean>(value: T, what: string): z.ZodLiteral<T> {
  return z.literal(value, {
    error: ({ input }) => `${JSON.stringify(input)}: ${what} is not supported, expected ${JSON.stringify(value)}`,
  });
}

// Bounds on what a config may ask for: far above any model that trains on a CPU, low enough that a mistyped
// number is an error message and not an attempt to allocate terabytes.
export const MAX_WIDTH = 65_536;
export const MAX_LAYERS = 512;
export const MAX_VOCABULARY = 4_194_304;
export const MAX_POSITIONS = 4_194_304;
/** Positions times the size of a head: the angles of rotary tables, which are computed when a model is loaded (half a gigabyte at this). */
export const MAX_ROTARY_ANGLES = 2 ** 27;
