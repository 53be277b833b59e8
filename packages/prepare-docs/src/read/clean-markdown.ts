import { findBlocks } from "../chunk/find-blocks.js";

const IMAGE = String.raw`!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])`;
const LINKED_IMAGE = String.raw`\[\s*${IMAGE}\s*\](?:\([^)]*\)|\[[^\]]*\])`;
/** A line of nothing but images: badges and logos. */
const ONLY_IMAGES = new RegExp(String.raw`^[ \t]*(?:(?:${LINKED_IMAGE}|${IMAGE})[ \t|·•]*)+$`, "gm");
/** Badges in a heading line. */
const HEADING_LINE = /^ {0,3}#{1,6}\s.*$/gm;
const ANY_IMAGE = new RegExp(`${LINKED_IMAGE}|${IMAGE}`, "g");
/** Where links are defined: `[name]: https://…`. */
const LINK_DEFINITION = /^ {0,3}\[[^\]\n]+\]:[ \t]*\S+(?:[ \t]+["'(][^\n]*)?$/gm;
/** HTML that only lays out: its tags go, what they hold stays. */
const LAYOUT_TAG =
  /<\/?(?:p|div|span|center|picture|source|img|br|hr|a|sub|sup|b|i|em|strong|h[1-6]|details|summary|figure|font|kbd)(?:\s[^<>]*)?\/?>/gi;

function cleanProse(prose: string): string {
  return (
    prose
      .replace(ONLY_IMAGES, "")
      .replace(LINK_DEFINITION, "")
      // A heading that is only a logo keeps what the logo says.
      .replace(HEADING_LINE, (line) => {
        const bare = line.replace(ANY_IMAGE, "").trimEnd();
        return /^\s*#+$/.test(bare) ? line : bare;
      })
      .replace(/<h([1-6])(?:\s[^<>]*)?>\s*([\s\S]*?)\s*<\/h\1>/gi, (_, level: string, inner: string) => {
        const words = inner
          .replace(/<[^<>]*>/g, " ")
          .replace(/\s+/g, " ")
          .trim();
        return words === "" ? "" : `\n${"#".repeat(Number(level))} ${words}\n`;
      })
      // A tag within inline code is an example, so the code is matched first and kept.
      .replace(new RegExp(String.raw`(\`+)[^\n]*?\1|${LAYOUT_TAG.source}`, "gi"), (match) =>
        match.startsWith("`") ? match : "",
      )
      .replace(/[ \t]+$/gm, "")
      .replace(/\n{3,}/g, "\n\n")
  );
}

/**
 * Takes out of a Markdown file what a reader of the rendered page does not see or does not read: comments, badges, tags
 * that only lay out, definitions of links. Code stays as it is.
 */
export function cleanMarkdown(text: string): string {
  const code = findBlocks(text).filter((block) => block.kind === "code");
  let cleaned = "";
  let from = 0;
  for (const block of code) {
    cleaned += cleanProse(removeComments(text.slice(from, block.start))) + text.slice(block.start, block.end);
    from = block.end;
  }
  cleaned += cleanProse(removeComments(text.slice(from)));
  return cleaned.trim();
}

function removeComments(prose: string): string {
  return prose.replace(/<!--[\s\S]*?-->/g, "");
}
