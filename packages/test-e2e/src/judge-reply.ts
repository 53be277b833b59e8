import type { ReplySchema } from "@rag-ft/llm";

/** The verdict that a text is, whatever its case; undefined when it is none. */
function asVerdict<Verdict extends string>(value: unknown, verdicts: readonly Verdict[]): Verdict | undefined {
  const text = typeof value === "string" ? value.trim().toLowerCase() : undefined;
  return verdicts.find((verdict) => verdict === text);
}

/** The verdict of a reply that is a JSON object, bare, in a fence or between other words. */
function verdictOfJson<Verdict extends string>(reply: string, verdicts: readonly Verdict[]): Verdict | undefined {
  const text = reply.slice(reply.indexOf("{"), reply.lastIndexOf("}") + 1);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? asVerdict((value as { verdict?: unknown }).verdict, verdicts)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The last match of a pattern with the verdict as its group. */
export function lastVerdict<Verdict extends string>(
  reply: string,
  pattern: RegExp,
  verdicts: readonly Verdict[],
): Verdict | undefined {
  return asVerdict([...reply.matchAll(pattern)].at(-1)?.[1], verdicts);
}

/**
 * The verdict of a judge's reply; undefined when it has none.
 *
 * 1. The JSON object that was asked for. 2. Its `"verdict": "…"` where the JSON is broken or was cut; one that is quoted within the
 * explanation has its marks escaped and does not count. Where it stands there several times, the last one counts.
 */
export function readVerdict<Verdict extends string>(reply: string, verdicts: readonly Verdict[]): Verdict | undefined {
  const quoted = new RegExp(`"verdict"\\s*:\\s*"\\s*(${verdicts.join("|")})\\s*"`, "gi");
  return verdictOfJson(reply, verdicts) ?? lastVerdict(reply, quoted, verdicts);
}

/** The form of a reply, for servers that can hold a model to one. The explanation comes first, so that it is not made up for a verdict. */
export function verdictSchema(verdicts: readonly string[]): ReplySchema {
  return {
    name: "verdict",
    schema: {
      type: "object",
      properties: {
        explanation: { type: "string", description: "One to three sentences." },
        verdict: { type: "string", enum: [...verdicts] },
      },
      required: ["explanation", "verdict"],
      additionalProperties: false,
    },
  };
}
