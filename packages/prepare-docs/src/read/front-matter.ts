import { parse } from "yaml";

export interface FrontMatter {
  /** Keys of the YAML block at the top; empty when there is none, or when it is no mapping. */
  values: Record<string, unknown>;
  /** The text after it. */
  body: string;
}

const BLOCK = /^---[ \t]*\n([\s\S]*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)/;

/** A line `key: text` for pages whose front matter is not quite YAML (a colon or a bracket in an unquoted description). */
function readPlainLines(block: string): Record<string, unknown> {
  const pairs = [...block.matchAll(/^([\w-]+):[ \t]+(\S.*)$/gm)];
  return Object.fromEntries(
    pairs.map(([, key, value]) => [key ?? "", (value ?? "").trim().replace(/^(["'])(.*)\1$/, "$2")]),
  );
}

/** Splits a text that begins with a YAML block between `---` lines. Text that only looks so (two rules) stays whole. */
export function readFrontMatter(text: string): FrontMatter {
  const match = BLOCK.exec(text);
  const block = match?.[1];
  if (match === null || block === undefined) return { values: {}, body: text };
  let values: unknown;
  try {
    values = parse(block);
  } catch {
    values = readPlainLines(block);
    if (Object.keys(values as object).length === 0) return { values: {}, body: text };
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) return { values: {}, body: text };
  return { values: values as Record<string, unknown>, body: text.slice(match[0].length) };
}
