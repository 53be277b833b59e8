import { CancelledError, createRandom } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { NearDuplicates } from "./near-duplicates.js";
import { areNear, containment, shingles, shinglesOf } from "./shingles.js";
import { words } from "./words.js";

describe("containment", () => {
  it("is the share of runs of words that the other text has, each as often as it comes", () => {
    // Runs of a: abc, bcd, cde, def; of b: xbc, bcd, cde.
    expect(containment(shingles("a b c d e f"), shingles("x b c d e"))).toBe(2 / 4);
    expect(containment(shingles("x b c d e"), shingles("a b c d e f"))).toBe(2 / 3);
    // Of three times "a", the other has one.
    expect(containment(shingles("a a a", 1), shingles("a b", 1))).toBe(1 / 3);
    expect(containment(shingles("a b c"), shingles("c b a"))).toBe(0);
    expect(containment(shingles(""), shingles("a"))).toBe(0);
  });

  it("takes a text shorter than a shingle as one", () => {
    expect(shingles("two words")).toHaveLength(1);
    expect(containment(shingles("two words"), shingles("two words"))).toBe(1);
    expect(containment(shingles("two words"), shingles("two words more"))).toBe(0);
  });
});

/** Passages of a small vocabulary, and of each fifth an edited copy, a part, or the same with other punctuation. */
function passages(count: number, seed: number): string[] {
  const random = createRandom(seed);
  const word = (): string => `w${Math.floor(random.next() ** 3 * 300)}`;
  const made: string[] = [];
  for (let i = 0; i < count; i++) {
    const earlier = made[random.integer(Math.max(1, made.length))]?.split(" ");
    if (i % 5 !== 4 || earlier === undefined) made.push(Array.from({ length: 1 + random.integer(60) }, word).join(" "));
    else if (i % 3 === 0) made.push(earlier.map((old) => (random.integer(40) === 0 ? word() : old)).join(" "));
    else if (i % 3 === 1) made.push(earlier.slice(random.integer(10)).join(" "));
    else made.push(`${earlier.join(", ").toUpperCase()}!`);
  }
  return made;
}

describe("NearDuplicates", () => {
  it.each([
    ["Russian", "Заказ можно отменить до отправки, потом его возвращают. Деньги", "приходят", "идут"],
    ["Japanese", "注文は発送前にキャンセルできます。その後は返品してください。返金は", "三日", "十日"],
    ["Thai", "ยกเลิกคำสั่งซื้อได้ก่อนจัดส่งหลังจากนั้นต้องส่งคืนสินค้าและรอรับเงินคืน", "สามวัน", "สิบวัน"],
    ["Hindi", "भेजने से पहले ऑर्डर रद्द किया जा सकता है, उसके बाद उसे लौटाना होगा और पैसे", "आते", "मिलते"],
  ])("knows a changed word from another text: %s", async (_, text, one, other) => {
    const found = await NearDuplicates.find([`${text} ${one}`, `${text} ${other}`, [...text].reverse().join("")]);
    expect(found.near(0)).toEqual([1]);
    expect(found.near(2)).toEqual([]);
  });

  it.each([
    [1, 0.8],
    [3, 0.8],
    [3, 0.5],
    [2, 0.999],
  ])("finds exactly what comparing each with each finds (shingles of %i, above %d)", async (shingleSize, above) => {
    const texts = [...passages(300, shingleSize), "", "…", "one", "one"];
    const sets = texts.map((text) => shinglesOf(words(text), shingleSize));
    const found = await NearDuplicates.find(texts, { shingleSize, above });
    let pairs = 0;
    for (const a of texts.keys()) {
      const set = sets[a] as Float64Array;
      const others = [...texts.keys()].filter((b) => b !== a);
      const near = others.filter((b) => areNear(set, sets[b] as Float64Array, above));
      expect(found.near(a)).toEqual(near);
      const containing = others
        .map((id) => ({ id, share: containment(set, sets[id] as Float64Array) }))
        .filter(({ share }) => share > above);
      const inOrder = [...found.containing(a)].sort((x, y) => x.id - y.id);
      expect(inOrder).toEqual(containing);
      pairs += near.length;
    }
    expect(pairs).toBeGreaterThan(40);
    expect(pairs).toBeLessThan(texts.length * 30);
  });

  it("stops when asked to", async () => {
    const signal = AbortSignal.abort();
    await expect(NearDuplicates.find(["a", "b"], { signal })).rejects.toThrow(CancelledError);
  });
});
