import type { Paragraph, Root } from "mdast";
import { readText } from "../../bytes/read-text.js";
import type { Reader } from "../reader.js";

/** A longer paragraph is cut at a line, else at a blank: no sentence is as long. */
const MOST_PARAGRAPH = 16_384;

function pieces(text: string): string[] {
  const made: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + MOST_PARAGRAPH);
    if (end < text.length) {
      const piece = text.slice(at, end);
      const space = Math.max(piece.lastIndexOf("\n"), piece.lastIndexOf(" "));
      if (space > 0) end = at + space + 1;
    }
    made.push(text.slice(at, end));
    at = end;
  }
  return made;
}

/** A text without markup: paragraphs between blank lines, their lines as they are. */
export function plainTree(text: string): Root {
  const root: Root = { type: "root", children: [] };
  let line = 1;
  const add = (paragraph: string): void => {
    for (const piece of pieces(paragraph)) {
      const lines = piece.split("\n").length - 1;
      const end = piece.endsWith("\n") ? line + lines - 1 : line + lines;
      const node: Paragraph = {
        type: "paragraph",
        children: [{ type: "text", value: piece.replace(/\n+$/, "") }],
        position: { start: { line, column: 1 }, end: { line: Math.max(line, end), column: 1 } },
      };
      if (piece.trim() !== "") root.children.push(node);
      line += lines;
    }
  };
  let from = 0;
  for (const { index, 0: gap } of text.matchAll(/\n(?:[ \t]*\n)+/g)) {
    add(text.slice(from, index + gap.length));
    from = index + gap.length;
  }
  add(text.slice(from));
  return root;
}

export const plain: Reader = {
  name: "plain text",
  extensions: [".txt", ".text"],
  async *read({ path }, context) {
    yield { tree: plainTree(await readText(path, context)), metadata: {} };
  },
};
