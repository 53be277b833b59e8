import { expect, it } from "vitest";
import { notInPassageFile } from "./not-in-passage-file.js";

it.each([
  ["a/train_w_qa.jsonl", "a/train_not_in_passage.jsonl"],
  ["train_w_qa", "train_not_in_passage.jsonl"],
  ["mine.jsonl", "mine_not_in_passage.jsonl"],
])("%s: %s", (answers, apart) => {
  expect(notInPassageFile(answers)).toBe(apart);
});
