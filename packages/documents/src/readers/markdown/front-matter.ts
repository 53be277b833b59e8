import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";

export interface FrontMatter {
  /** Keys of the block at the top; empty when there is none, or when it is no mapping. */
  values: Record<string, unknown>;
  /** The text with blank lines in place of the block, so that lines keep their numbers. */
  body: string;
}

/** A line `key: text` for pages whose front matter is not quite YAML (a colon or a bracket in an unquoted description). */
function readPlainLines(block: string): Record<string, unknown> {
  const pairs = [...block.matchAll(/^([\w-]+):[ \t]+(\S.*)$/gm)];
  return Object.fromEntries(
    pairs.map(([, key, value]) => [key ?? "", (value ?? "").trim().replace(/^(["'])(.*)\1$/, "$2")]),
  );
}

function readYaml(block: string): unknown {
  try {
    return parseYaml(block, { logLevel: "error" });
  } catch {
    const values = readPlainLines(block);
    return Object.keys(values).length === 0 ? undefined : values;
  }
}

/** How front matter begins, how it ends, and what reads it. YAML as most have it, TOML and JSON as Hugo. */
const KINDS = [
  { opens: "---", closes: ["---", "..."], inner: true, read: readYaml },
  { opens: "+++", closes: ["+++"], inner: true, read: (block: string): unknown => parseToml(block) },
  { opens: "{", closes: ["}"], inner: false, read: (block: string): unknown => JSON.parse(block) },
] as const;

/** Front matter longer than this is none. */
const MOST_LINES = 1000;

/** Splits a text that begins with front matter. Text that only looks so (two rules) stays whole. */
export function readFrontMatter(text: string): FrontMatter {
  const none = { values: {}, body: text };
  const lines = text.split("\n", MOST_LINES);
  const kind = KINDS.find(({ opens }) => lines[0]?.trimEnd() === opens);
  if (kind === undefined) return none;
  const end = lines.findIndex((line, i) => i > 0 && (kind.closes as readonly string[]).includes(line.trimEnd()));
  if (end < 0) return none;
  const block = (kind.inner ? lines.slice(1, end) : lines.slice(0, end + 1)).join("\n");
  let values: unknown;
  try {
    values = kind.read(block);
  } catch {
    return none;
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) return none;
  const rest = lines.slice(0, end + 1).reduce((sum, line) => sum + line.length + 1, 0);
  return { values: values as Record<string, unknown>, body: "\n".repeat(end + 1) + text.slice(rest) };
}
