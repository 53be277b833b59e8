import { createDocument } from "@rag-ft/core";
import { expect, test } from "vitest";
import { holdsPassage, isFragment } from "./near-passages.js";
import { scoreRetrieval } from "./score-retrieval.js";

const passage = (text: string, source = text) => createDocument(text, { source });
const words = (count: number, first = 0): string => Array.from({ length: count }, (_, i) => `w${first + i}`).join(" ");

test("a passage holds the gold one with more than 80 % of its words, whatever the order; a fragment of it does not", () => {
  const gold = passage(words(6));
  expect(holdsPassage(passage(`W5, ${words(4)} and more`), gold)).toBe(true); // five of six
  expect(holdsPassage(passage(`${words(4)} x y z`), passage(words(5)))).toBe(false); // four of five are 80 %
  expect(holdsPassage(passage(words(3)), gold)).toBe(false);
  expect(isFragment(passage(words(3)), gold)).toBe(true);
  expect(isFragment(passage(`${words(4)} x`), gold)).toBe(false);
  expect(holdsPassage(passage("…", "a"), passage("…", "b"))).toBe(false); // without words
  expect(holdsPassage(passage("…", "a"), passage("…", "a"))).toBe(true); // the same
});

test("near recall is not raised by fragments, near recall with fragments is, and never below it", () => {
  const gold = passage(words(20));
  const holder = passage(`${words(20)} and what follows it in a longer passage`);
  const figures = (...retrieved: ReturnType<typeof passage>[]) => {
    const all = scoreRetrieval(retrieved, [gold], { ks: [1, 2], searched: 2 }).figures;
    return ["near_recall", "near_fragment_recall"].map((name) => [all[`${name}/recall1`], all[`${name}/recall2`]]);
  };
  expect(figures(passage(words(5)), holder)).toEqual([
    [0, 1],
    [1, 1],
  ]);
  expect(figures(passage(words(5)), passage("other"))).toEqual([
    [0, 0],
    [1, 1],
  ]);
  expect(figures(holder)).toEqual([
    [1, 1],
    [1, 1],
  ]);
});

test("each gold passage needs itself or a near-duplicate of it among the first k", () => {
  const [a, b, other] = [passage(words(10)), passage(words(10, 20)), passage(words(10, 40))];
  const copyOfA = passage(words(9), "copy");
  const near = (retrieved: ReturnType<typeof passage>[], gold: ReturnType<typeof passage>[]) =>
    Object.fromEntries(
      [1, 2, 3].map((k) => {
        const { figures } = scoreRetrieval(retrieved, gold, { ks: [1, 2, 3], searched: 3 });
        return [`recall${k}`, figures[`near_recall/recall${k}`]];
      }),
    );
  expect(near([other, copyOfA, b], [a])).toEqual({ recall1: 0, recall2: 1, recall3: 1 });
  expect(near([copyOfA, other, b], [a, b])).toEqual({ recall1: 0, recall2: 0, recall3: 1 });
  expect(near([other], [a])).toEqual({ recall1: 0, recall2: 0, recall3: 0 });
  expect(near([a], [])).toEqual({ recall1: 0, recall2: 0, recall3: 0 });
});
