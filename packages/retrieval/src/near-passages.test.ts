import { createDocument } from "@rag-ft/core";
import { expect, test } from "vitest";
import { isNearPassage } from "./near-passages.js";
import { scoreRetrieval } from "./score-retrieval.js";

const passage = (text: string, source = text) => createDocument(text, { source });
const words = (count: number, first = 0): string => Array.from({ length: count }, (_, i) => `w${first + i}`).join(" ");

test("near-duplicates have more than 80 % of the words of one of them, whatever the order", () => {
  expect(isNearPassage(passage(words(6)), passage(`W5, ${words(4)}`))).toBe(true); // all five of six
  expect(isNearPassage(passage(words(5)), passage(`${words(4)} x y z`))).toBe(false); // four of five are 80 %
  expect(isNearPassage(passage(words(6)), passage(`${words(5)} x y z`))).toBe(true); // five of six
  expect(isNearPassage(passage("…", "a"), passage("…", "b"))).toBe(false); // without words
  expect(isNearPassage(passage("…", "a"), passage("…", "a"))).toBe(true); // the same
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
