import { createDocument, createRandom, type Document } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { contextPassages, fitContext } from "./context.js";

const passage = (name: string): Document => createDocument(`text of ${name}`, { source: name });
const [gold, r1, r2, r3, r4] = ["gold", "r1", "r2", "r3", "r4"].map(passage) as [
  Document,
  Document,
  Document,
  Document,
  Document,
];
const names = (documents: readonly Document[]): string[] => documents.map((document) => document.metadata.source);

describe("contextPassages", () => {
  it("gold first, then retrieved ones that are not gold, one more than the maximum in all", () => {
    expect(names(contextPassages([gold], [r1, gold, r2, r3, r4], 3).retrieved)).toEqual(["r1", "r2", "r3"]);
    expect(names(contextPassages([gold], [r1, r2], 0).retrieved)).toEqual([]);
    expect(names(contextPassages([gold, r1], [r1, r2, r3], 2).retrieved)).toEqual(["r2"]);
  });
});

describe("fitContext", () => {
  const context = contextPassages([gold], [r1, r2, r3], 3);

  it("leaves out retrieved passages from the lowest rank on, never the gold one", () => {
    const sizes: number[] = [];
    const fitted = fitContext(context, createRandom(1), (passages) => {
      sizes.push(passages.length);
      return passages.length <= 2;
    });
    expect(sizes).toEqual([4, 3, 2]);
    expect(fitted?.dropped).toBe(2);
    expect(names(fitted?.passages ?? []).sort()).toEqual(["gold", "r1"]);
    expect(fitContext(context, createRandom(1), () => false)).toBeUndefined();
  });

  it("shuffles by the seed, so that the gold passage stands in every place", () => {
    const random = createRandom(3);
    const places = Array.from({ length: 40 }, () =>
      names(fitContext(context, random, () => true)?.passages ?? []).indexOf("gold"),
    );
    expect(new Set(places)).toEqual(new Set([0, 1, 2, 3]));
  });
});
