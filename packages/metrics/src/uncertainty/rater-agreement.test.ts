import { describe, expect, it } from "vitest";
import { cohensKappa } from "./cohens-kappa.js";
import { krippendorffsAlpha } from "./krippendorffs-alpha.js";
import { raterAgreement } from "./rater-agreement.js";

/** Items of a table of raters by items; a dot is a label left out. */
const itemsOf = (...raters: string[]): string[][] => {
  const rows = raters.map((labels) => labels.split(" "));
  return (rows[0] ?? []).map((_, i) => rows.flatMap((row) => (row[i] === "." ? [] : (row[i] ?? []))));
};

describe("krippendorffsAlpha gives what Krippendorff (2011) prints", () => {
  it("of two observers and two values: 0.095", () => {
    const { alpha, observed, n } = krippendorffsAlpha(itemsOf("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"));
    expect(alpha).toBeCloseTo(0.095, 3);
    expect([observed, n]).toEqual([0.6, 10]);
  });

  it("of two observers and five values: 0.692", () => {
    const { alpha } = krippendorffsAlpha(itemsOf("a a b b d c c c e d d a", "b a b b b c c c e d d d"));
    expect(alpha).toBeCloseTo(0.692, 3);
  });

  it("of four observers who left labels out, an item with a single label among them: 0.743", () => {
    const items = itemsOf(
      "1 2 3 3 2 1 4 1 2 . . .",
      "1 2 3 3 2 2 4 1 2 5 . 3",
      ". 3 3 3 2 3 4 2 2 5 1 .",
      "1 2 3 3 2 4 4 1 2 5 1 .",
    );
    const { alpha, low, high, n } = krippendorffsAlpha(items);
    expect(alpha).toBeCloseTo(0.743, 3);
    expect(n).toBe(11);
    expect(low).toBeLessThan(0.743);
    expect(low).toBeGreaterThan(0.3);
    expect(high).toBeGreaterThan(0.8);
    // An item with one label changes nothing.
    expect(krippendorffsAlpha([...items, ["5"]])).toEqual(krippendorffsAlpha(items));
  });

  it("is not defined where all labels are the same, or no item has two", () => {
    expect(krippendorffsAlpha(itemsOf("a a", "a a")).alpha).toBeNaN();
    expect(krippendorffsAlpha([["a"], ["b"]])).toMatchObject({ alpha: Number.NaN, n: 0 });
  });
});

describe("raterAgreement", () => {
  const rated = (...labels: (string | undefined)[]): ReadonlyMap<string, string> =>
    new Map(labels.flatMap((label, i) => (label === undefined ? [] : [[`rater ${i}`, label] as const])));
  // Fifty proposals, 20 that both accept and 15 that both refuse: kappa 0.4, the usual example.
  const proposals = [
    ...Array.from({ length: 20 }, () => rated("yes", "yes")),
    ...Array.from({ length: 5 }, () => rated("yes", "no")),
    ...Array.from({ length: 10 }, () => rated("no", "yes")),
    ...Array.from({ length: 15 }, () => rated("no", "no")),
  ];

  it("is Cohen's kappa of two, over what both labelled", () => {
    const found = raterAgreement([...proposals, rated("yes"), rated(undefined, "no")]);
    expect(found).toMatchObject({ method: "Cohen's kappa", raters: 2, n: 50, observed: 0.7 });
    expect(found?.value).toBeCloseTo(0.4, 12);
    const [a, b] = [0, 1].map((i) => proposals.map((labels) => labels.get(`rater ${i}`) ?? ""));
    expect(found?.low).toBe(cohensKappa(a ?? [], b ?? []).low);
  });

  it("is Krippendorff's alpha of three", () => {
    const items = [rated("a", "a"), rated("a", "b", "b"), rated(undefined, "b", "b"), rated("a", undefined, "a")];
    expect(raterAgreement(items)).toMatchObject({ method: "Krippendorff's alpha", raters: 3, n: 4 });
    expect(raterAgreement(items)?.value).toBe(krippendorffsAlpha(items.map((labels) => [...labels.values()])).alpha);
  });

  it("is not known of one rater", () => {
    expect(raterAgreement([rated("a"), rated("b")])).toBeUndefined();
    expect(raterAgreement([])).toBeUndefined();
  });
});
