import { createDocument, createRandom } from "@rag-ft/core";
import type { RetrievalExample } from "@rag-ft/retrieval";
import { withGoldOfSameQuestion } from "@rag-ft/retrieval";
import { describe, expect, it } from "vitest";
import { composeBatch } from "./examples.js";
import { requireNegatives } from "./require-negatives.js";

const passage = (name: string) => createDocument(`text of ${name}`, { source: name });
const example = (question: string, gold: string, hard: string[] = []): RetrievalExample => ({
  question,
  gold_docs: [passage(gold)],
  hard_neg_docs: hard.map(passage),
});

/** What is said of batches of `size`, two passes over the examples in their order. */
function check(train: readonly RetrievalExample[], size: number, ratio = 0.05): string[] {
  const perEpoch = Math.ceil(train.length / size);
  const at = (number: number) => {
    const start = (number % perEpoch) * size;
    return composeBatch(train.slice(start, start + size), ratio, createRandom(1));
  };
  const said: string[] = [];
  const settings = { train_file: "q.jsonl", per_device_train_batch_size: size, hard_neg_ratio: ratio };
  requireNegatives({ at, count: 2 * perEpoch, perEpoch }, settings, train, { warn: (line) => said.push(line) });
  return said;
}

describe("a training whose batches have no negative names the cause", () => {
  const [one, two, three] = [example("1?", "a"), example("2?", "b"), example("3?", "c")];
  it.each([
    ["one question", [one], 8, /there is one question/],
    ["questions of one passage", [one, example("4?", "a")], 8, /all 2 questions have the same gold passage/],
    ["batches of one", [one, two, three], 1, /per_device_train_batch_size is 1/],
    ["one question with two gold passages", withGoldOfSameQuestion([one, example(" 1 ", "b")]), 2, /gold passages of/],
  ])("%s", (_, train, size, cause) => {
    expect(() => check(train, size)).toThrow(/q\.jsonl: no batch has a negative, so that the loss is 0/);
    expect(() => check(train, size)).toThrow(cause);
  });

  it("some batches without are counted, and hard negatives are negatives", () => {
    expect(check([one, two], 2)).toEqual([]);
    expect(check([one, two, three], 2)).toEqual([expect.stringContaining("1 of the first 2 batches have no negative")]);
    expect(check([example("1?", "a", ["b"])], 1, 1)).toEqual([]);
  });
});
