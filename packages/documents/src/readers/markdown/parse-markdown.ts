import type { Root, RootContent } from "mdast";
import { fromMarkdown, type Options } from "mdast-util-from-markdown";
import { gfmFootnoteFromMarkdown } from "mdast-util-gfm-footnote";
import { gfmStrikethroughFromMarkdown } from "mdast-util-gfm-strikethrough";
import { gfmTableFromMarkdown } from "mdast-util-gfm-table";
import { gfmTaskListItemFromMarkdown } from "mdast-util-gfm-task-list-item";
import { gfmFootnote } from "micromark-extension-gfm-footnote";
import { gfmStrikethrough } from "micromark-extension-gfm-strikethrough";
import { gfmTable } from "micromark-extension-gfm-table";
import { gfmTaskListItem } from "micromark-extension-gfm-task-list-item";
import { plainTree } from "../plain/index.js";
import { shortcodeFromMarkdown, shortcodeSyntax } from "./shortcode-syntax.js";

interface Syntax {
  extensions: NonNullable<Options["extensions"]>;
  mdastExtensions: NonNullable<Options["mdastExtensions"]>;
}

/** What Markdown knows beyond CommonMark, and what a text has that uses it: each costs time in every line, used or not. */
const SYNTAX: readonly (readonly [mark: RegExp, syntax: Syntax])[] = [
  [/\[\^/, { extensions: [gfmFootnote()], mdastExtensions: [gfmFootnoteFromMarkdown()] }],
  [/~/, { extensions: [gfmStrikethrough()], mdastExtensions: [gfmStrikethroughFromMarkdown()] }],
  [/\||:-|-:/, { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] }],
  [/\[[\sxX]\]/, { extensions: [gfmTaskListItem()], mdastExtensions: [gfmTaskListItemFromMarkdown()] }],
];

const SHORTCODES: (typeof SYNTAX)[number] = [
  /\{[{%]/,
  { extensions: [shortcodeSyntax], mdastExtensions: [shortcodeFromMarkdown] },
];

function syntaxOf(text: string, known: typeof SYNTAX): Syntax {
  const used = known.filter(([mark]) => mark.test(text)).map(([, syntax]) => syntax);
  return {
    extensions: used.flatMap(({ extensions }) => extensions),
    mdastExtensions: used.flatMap(({ mdastExtensions }) => mdastExtensions),
  };
}

const parse = (text: string): Root => fromMarkdown(text, syntaxOf(text, [...SYNTAX, SHORTCODES]));

/**
 * Lines without a blank one between them that are longer than this are no prose. The parser's work on emphasis and links grows with the
 * square of a paragraph's length, so these become plain paragraphs.
 */
const MOST_PARAGRAPH = 16_384;
/** A longer text is parsed in parts, so that a request to stop is heard between them. */
const PART = 262_144;

/** Moves the lines of a tree that was parsed from the middle of a file. */
export function shiftLines(nodes: readonly RootContent[], by: number): void {
  if (by === 0) return;
  for (const node of nodes) {
    if (node.position) {
      node.position.start.line += by;
      node.position.end.line += by;
    }
    if ("children" in node) shiftLines(node.children as RootContent[], by);
  }
}

interface Part {
  text: string;
  line: number;
  plain: boolean;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/** Parts that can be parsed apart: cut at headings and, when there is none for long, at blank lines; never within a fence. */
function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let fence = "";
  let from = 0;
  let fromLine = 1;
  let at = 0;
  let line = 1;
  let paragraph = 0;
  const close = (end: number, plain = false): void => {
    if (end > from) parts.push({ text: text.slice(from, end), line: fromLine, plain });
    from = end;
    fromLine = line;
  };
  /** A paragraph that ends here, when it is too long to be parsed, is a part of its own. */
  const closeLong = (end: number): void => {
    if (end - paragraph <= MOST_PARAGRAPH || paragraph < from) return;
    const after = line;
    line -= text.slice(paragraph, end).split("\n").length - 1;
    close(paragraph);
    line = after;
    close(end, true);
  };
  while (at < text.length) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    const start = text.slice(at, Math.min(end, at + 200));
    const mark = FENCE.exec(start)?.[1];
    const blank = end - at < 200 && start.trim() === "";
    if (mark !== undefined) {
      if (fence === "") fence = mark;
      else if (mark[0] === fence[0] && mark.length >= fence.length && start.trim() === mark) fence = "";
    }
    if (fence === "" && mark === undefined) {
      if (blank) {
        closeLong(at);
        if (at - from > PART) close(at);
        paragraph = end + 1;
      } else if (/^#{1,6} /.test(start)) {
        closeLong(at);
        if (at - from > PART / 2) close(at);
        paragraph = end + 1;
      }
    } else paragraph = end + 1;
    at = end + 1;
    line++;
  }
  if (!text.endsWith("\n")) line--;
  if (fence === "") closeLong(text.length);
  close(text.length);
  return parts;
}

/** Where links are defined counts for all parts. */
function definitionsOf(text: string): string {
  return [...text.matchAll(/^ {0,3}\[[^\]\n^]{1,999}\]:[ \t]*\S.*$/gm)].map(([line]) => line).join("\n");
}

const isLong = (text: string): boolean =>
  text.length > PART || text.split("\n\n").some((run) => run.length > MOST_PARAGRAPH);

/** The tree of a Markdown text (CommonMark with GitHub's tables, tasks, footnotes and strikethrough, and templates' marks). */
export async function parseMarkdown(text: string, turn: () => Promise<void>): Promise<Root> {
  if (!isLong(text)) return parse(text);
  const parts = partsOf(text);
  const definitions = parts.length > 1 ? definitionsOf(text) : "";
  const root: Root = { type: "root", children: [] };
  for (const part of parts) {
    await turn();
    if (part.plain) {
      const { children } = plainTree(part.text);
      shiftLines(children, part.line - 1);
      for (const child of children) root.children.push(child);
      continue;
    }
    const { children } = parse(definitions ? `${part.text}\n\n${definitions}\n` : part.text);
    const own = children.filter(({ type }) => type !== "definition");
    shiftLines(own, part.line - 1);
    for (const child of own) root.children.push(child);
  }
  return root;
}

/**
 * The tree of an MDX text.
 *
 * @throws VFileMessage when it is not MDX
 */
export async function parseMdx(text: string): Promise<Root> {
  // Few files are MDX, and a parser of JavaScript comes with it.
  const [{ mdxjs }, { mdxFromMarkdown }] = await Promise.all([
    import("micromark-extension-mdxjs"),
    import("mdast-util-mdx"),
  ]);
  const { extensions, mdastExtensions } = syntaxOf(text, SYNTAX);
  return fromMarkdown(text, {
    extensions: [...extensions, mdxjs()],
    mdastExtensions: [...mdastExtensions, mdxFromMarkdown()],
  });
}
