import { createDocument } from "@rag-ft/core";
import { expect, it } from "vitest";
import { withoutGold } from "./without-gold.js";

const passage = (text: string, source = "a") => createDocument(text, { source });
const gold = passage("Red cars stop at the light and wait until it turns green again for them.");

it("leaves out the gold passage, what holds it, a part of it, and what holds the answer's words", () => {
  const copy = passage(`${gold.page_content} So say the rules.`, "b");
  const part = passage("Red cars stop at the light and wait.", "c");
  const answer = "They wait until the light turns green.";
  const other = passage("When the light is red they wait until the light turns green or amber.", "d");
  const kept = passage("Blue boats float on the water, whatever the light may be.", "e");
  expect(withoutGold([gold, copy, part, other, kept], [gold], answer)).toEqual([kept]);
  expect(withoutGold([other, kept], [gold])).toEqual([other, kept]);
});

it("a short answer's words say nothing", () => {
  const kept = passage("Yes, blue boats float.", "e");
  expect(withoutGold([kept], [gold], "Yes.")).toEqual([kept]);
});
