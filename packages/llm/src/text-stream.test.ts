import { expect, it } from "vitest";
import { TextStream } from "./text-stream.js";

function grown(texts: string[], stop: string[], last: string): string[] {
  const pieces: string[] = [];
  const stream = new TextStream((piece) => pieces.push(piece), stop);
  for (const text of texts) stream.grow(text);
  stream.finish(last);
  return pieces;
}

it("holds back what may be the beginning of a stop string", () => {
  expect(grown(["a", "a <", "a </", "a </s", "a </s>"], ["</s>"], "a ")).toEqual(["a", " "]);
  expect(grown(["a", "a <", "a <b"], ["</s>"], "a <b")).toEqual(["a", " ", "<b"]);
});

it("holds back half a character", () => {
  expect(grown(["é", "é\uFFFD", "é\uFFFD\uFFFD", "é日"], [], "é日")).toEqual(["é", "日"]);
});
