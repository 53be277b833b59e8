import { createDocument } from "@rag-ft/core";
import { expect, test } from "vitest";
import { checkCitations } from "./citations.js";

const passage = (text: string, source: string) => createDocument(text, { source });
const gold = passage("The red cars stop at the light.", "a");
const copy = passage("Here the red cars stop at the light.", "b");
const other = passage("Blue boats float on the lake in the sun.", "c");
const prompt = [other, copy, gold];

test("right is a gold passage, a copy of it, or one that has the sentence's words; a number beyond them is of no passage", () => {
  const answer = "They halt when told to [3]. They halt [2][1]. Boats float on the lake. [1] So they do [4, 0].";
  expect(checkCitations(answer, prompt, [gold])).toEqual([
    { number: 3, valid: true, right: true },
    { number: 2, valid: true, right: true },
    { number: 1, valid: true, right: false },
    { number: 1, valid: true, right: true },
    { number: 4, valid: false, right: false },
    { number: 0, valid: false, right: false },
  ]);
  expect(checkCitations("Nothing is cited, not even `a[1]`.", prompt, [gold])).toEqual([]);
});
