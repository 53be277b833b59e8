import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "./load-tokenizer.js";

const FIXTURES = join(import.meta.dirname, "fixtures");

/** scripts/make-token-id-references.py: the texts, and of each the number of ids with a hash of them, as Python's tokenizers gives them. */
const { texts, ids }: { texts: string[]; ids: Record<string, string[]> } = JSON.parse(
  readFileSync(join(FIXTURES, "token-ids.json"), "utf8"),
);

const folderOf = (name: string): string =>
  name.startsWith("tiny-")
    ? fileURLToPath(new URL(`../../../../data/models/${name}`, import.meta.url))
    : join(FIXTURES, name);

const hash = (found: readonly number[]): string =>
  `${found.length} ${createHash("sha256").update(found.join()).digest("hex").slice(0, 12)}`;

describe("200 texts of code, many scripts, emoji and control tokens", () => {
  it("are all different, and so are their ids", () => {
    expect(new Set(texts).size).toBe(200);
    expect(Object.keys(ids).length).toBeGreaterThan(12);
    for (const rows of Object.values(ids)) expect(new Set(rows).size).toBeGreaterThan(180);
  });

  it.each(Object.keys(ids))("have Python's ids: %s", async (name) => {
    const tokenizer = await loadTokenizer(folderOf(name));
    const different = texts.filter((text, i) => hash(tokenizer.encode(text)) !== ids[name]?.[i]);
    expect(different).toEqual([]);
  });
});
