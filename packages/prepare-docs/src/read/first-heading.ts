import { findBlocks } from "../chunk/find-blocks.js";

/** A heading's words: no marks, links as their text, no HTML. */
function plainHeading(heading: string): string {
  return (heading.split("\n").find((line) => /\S/.test(line) && !/^\s*<a\s[^>]*>\s*(<\/a>)?\s*$/i.test(line)) ?? "")
    .replace(/^\s*#+\s*/, "")
    .replace(/\s#+\s*$/, "")
    .replace(/!\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1")
    .replace(/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1")
    .replace(/<\/?[a-z][^>]*>/gi, "")
    .replace(/\*\*|__|`/g, "")
    .trim();
}

/** The first heading of a Markdown text, as a title; undefined when there is none that has words. */
export function firstHeading(text: string): string | undefined {
  for (const block of findBlocks(text)) {
    if (block.kind !== "heading") continue;
    const title = plainHeading(text.slice(block.start, block.end));
    if (title !== "") return title;
  }
  return undefined;
}
