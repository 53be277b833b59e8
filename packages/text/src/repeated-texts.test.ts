import { CancelledError, createRandom } from "@rag-ft/core";
import { expect, it } from "vitest";
import { NearDuplicates } from "./near-duplicates.js";
import { findRepeatedTexts, type RepeatedText } from "./repeated-texts.js";
import { words } from "./words.js";

function texts(count: number): string[] {
  const random = createRandom(5);
  const word = (): string => `w${random.integer(400)}`;
  const made: string[] = [];
  for (let i = 0; i < count; i++) {
    const earlier = made[random.integer(Math.max(1, made.length))]?.split(" ");
    if (i % 3 !== 2 || earlier === undefined) made.push(Array.from({ length: 1 + random.integer(50) }, word).join(" "));
    else if (i % 2 === 0) made.push(earlier.map((old) => (random.integer(30) === 0 ? word() : old)).join(" "));
    else made.push(earlier.slice(random.integer(12)).join(", "));
  }
  return [...made, "", "…", "one", "one"];
}

/** The same by all pairs. */
async function byPairs(all: readonly string[]): Promise<RepeatedText[]> {
  const near = await NearDuplicates.find(all);
  const lengths = all.map((text) => words(text).length);
  const order = [...all.keys()].sort((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0) || a - b);
  const kept = new Set<number>();
  const found: RepeatedText[] = [];
  for (const id of order) {
    const [best] = near
      .containing(id)
      .filter((other) => kept.has(other.id))
      .sort((a, b) => b.share - a.share || a.id - b.id);
    if (best) found.push({ id, container: best.id, share: best.share });
    else kept.add(id);
  }
  return found.sort((a, b) => a.id - b.id);
}

it("are those that comparing each with each finds", async () => {
  const all = texts(400);
  const found = await findRepeatedTexts(all);
  expect(found).toEqual(await byPairs(all));
  expect(found.length).toBeGreaterThan(50);
  expect(found.length).toBeLessThan(200);
});

it("take no more time and memory where one text is said thousands of times", async () => {
  const base = Array.from({ length: 200 }, (_, i) => `word${i}`);
  const all = Array.from({ length: 6000 }, (_, i) => base.with(i % 200, `changed${i}`).join(" "));
  const start = performance.now();
  const found = await findRepeatedTexts(all);
  expect(found).toHaveLength(5999);
  expect(performance.now() - start).toBeLessThan(15_000);
});

it("stop when asked to", async () => {
  await expect(findRepeatedTexts(["a", "b"], { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
});
