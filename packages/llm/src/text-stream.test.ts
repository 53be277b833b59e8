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

/** What is shown of a text that grows by a few characters at a time. */
function shownOf(text: string, by: number, stop: string[] = []): string {
  const lengths = Array.from({ length: Math.ceil(text.length / by) }, (_, i) => (i + 1) * by);
  return grown(
    lengths.map((length) => text.slice(0, length)),
    stop,
    "",
  ).join("");
}

const long = Array.from({ length: 200 }, (_, i) => `Line ${i} says what word ${i} means.`).join("\n");

it("shows a long text whole, in whatever pieces it comes", () => {
  for (const by of [1, 7, 50]) expect(shownOf(long, by)).toBe(long);
  const oneLine = long.replaceAll("\n", " ");
  expect(shownOf(oneLine, 3)).toBe(oneLine);
});

it("leaves out thoughts before and after a long answer has begun, and shows marks of thoughts that are spoken of", () => {
  expect(shownOf(`<think>\nfirst this\n</think>\n${long}`, 4).trim()).toBe(long);
  expect(shownOf(`${long}\n<think>\nnow that\n</think>\nThe end.`, 4)).not.toContain("now that");
  const spokenOf = `${long} The mark <think> opens a thought, and so on and on.`;
  expect(shownOf(spokenOf, 4)).toBe(spokenOf);
  const fenced = `${long}\n\n\`\`\`xml\n${long}\n<think>\nshown as code\n</think>\n\`\`\`\n${long}`;
  expect(shownOf(fenced, 5)).toBe(fenced);
});

it("ends a long text at a stop string, wherever its pieces are cut", () => {
  for (const by of [1, 2, 5, 9]) expect(shownOf(`${long}\nEND and more`, by, ["\nEND"])).toBe(long);
});
