// What a reader sees of templates' marks: their content is Markdown around them and stays, so the marks go, but for the words that
// they show (a title, the label of a tab).
import type { Paragraph, Parents, PhrasingContent, RootContent, Text } from "mdast";
import type { LeaveOut } from "../reader.js";
import { titleParagraph } from "./containers.js";
import { joinLines, linesOfParagraph } from "./paragraph-lines.js";

const SHOWN =
  /\b(?:title|label|name|header|heading|caption|summary|tabName|text)\s*=\s*(?:"([^"]*)"|'([^']*)'|`([^`]*)`)/;
/** Marks whose first argument is what they show. */
const BY_PLACE = /^(?:tab|tabitem|expand|details|button|badge|callout|card|term|abbr|kbd|step)$/i;
/** Marks that stand for an address, within a link. */
const ADDRESS = /^(?:rel)?ref$|^(?:link|url|post_url|asset|static|absurl|relurl)$/i;

/** The words that a mark shows; empty for none. */
function shownBy(mark: string): string {
  const inner = mark
    .replace(/^\{[{%][<%#]?\s*/, "")
    .replace(/\s*[>%]?[%}]\}$/, "")
    .trim();
  const [name = ""] = inner.split(/\s/, 1);
  if (inner.startsWith("/") || inner.startsWith("end") || ADDRESS.test(name)) return "";
  const titled = SHOWN.exec(inner);
  if (titled) return titled[1] ?? titled[2] ?? titled[3] ?? "";
  const place = BY_PLACE.test(name) ? /^\S+\s+(?:"([^"]*)"|'([^']*)'|`([^`]*)`)/.exec(inner) : null;
  return place ? (place[1] ?? place[2] ?? place[3] ?? "") : "";
}

// A mark in comment signs within its braces shows itself, in texts about Hugo.
const ESCAPED = /^(\{\{[<%])\s*\/\*(.*)\*\/\s*([>%]\}\})$/;

const ESCAPED_IN_CODE = /(\{\{[<%])[ \t]*\/\*[ \t]*([^\n{}]*?)[ \t]*\*\/[ \t]*([>%]\}\})/g;

/** Puts what is shown in place of all marks below. Marks of mdBook's includes were resolved before. */
export function resolveShortcodes(parent: Parents, leaveOut: LeaveOut): void {
  const made: RootContent[] = [];
  for (const child of parent.children as RootContent[]) {
    if (child.type === "paragraph" && child.children.some(({ type }) => type === "shortcode")) {
      made.push(...resolveParagraph(child, leaveOut));
      continue;
    }
    if (child.type === "shortcode") continue;
    if (child.type === "code") child.value = child.value.replace(ESCAPED_IN_CODE, "$1 $2 $3");
    if ("children" in child) {
      if (child.type === "paragraph" || child.type === "heading") child.children = phrases(child.children, leaveOut);
      else resolveShortcodes(child as Parents, leaveOut);
    }
    made.push(child);
  }
  parent.children = made as typeof parent.children;
}

/** A line of nothing but marks begins or ends something: it parts what is before from what is after, with the title that it shows. */
function resolveParagraph(paragraph: Paragraph, leaveOut: LeaveOut): RootContent[] {
  const made: RootContent[] = [];
  let open: PhrasingContent[][] = [];
  const close = (): void => {
    if (open.length > 0) made.push({ ...paragraph, children: phrases(joinLines(open), leaveOut) });
    open = [];
  };
  for (const line of linesOfParagraph(paragraph.children)) {
    const marks = line.filter((node) => node.type === "shortcode");
    const alone = line.every((node) => node.type === "shortcode" || (node.type === "text" && node.value.trim() === ""));
    if (!alone || marks.length === 0 || marks.some(({ value }) => ESCAPED.test(value))) {
      open.push(line);
      continue;
    }
    close();
    for (const { value } of marks) {
      leaveOut("marks of templates", value, paragraph.position?.start.line);
      const shown = shownBy(value);
      if (shown !== "") made.push(titleParagraph([{ type: "text", value: shown }], paragraph));
    }
  }
  close();
  return made;
}

function phrases(nodes: readonly PhrasingContent[], leaveOut: LeaveOut): PhrasingContent[] {
  const made: PhrasingContent[] = [];
  for (const node of nodes) {
    if (node.type !== "shortcode") {
      if ("children" in node) node.children = phrases(node.children as PhrasingContent[], leaveOut) as never;
      made.push(node);
      continue;
    }
    const escaped = ESCAPED.exec(node.value);
    const shown = escaped ? `${escaped[1]}${escaped[2]}${escaped[3]}` : shownBy(node.value);
    if (!escaped) leaveOut("marks of templates", node.value, node.position?.start.line);
    if (shown !== "") made.push({ type: "text", value: shown } satisfies Text);
  }
  return unwrapAddresses(made);
}

/** `[text]({{< ref "page" >}})` is no link to the parser, since the mark has blanks: `[text](` and `)` are left around nothing. */
function unwrapAddresses(nodes: PhrasingContent[]): PhrasingContent[] {
  const joined: PhrasingContent[] = [];
  for (const node of nodes) {
    const before = joined.at(-1);
    if (node.type === "text" && before?.type === "text")
      joined[joined.length - 1] = { ...before, value: before.value + node.value };
    else joined.push(node);
  }
  for (const node of joined) {
    if (node.type === "text" && node.value.includes("]("))
      node.value = node.value.replace(/!?\[([^[\]\n]{0,500})\]\([#/\w-]{0,200}\)/g, "$1");
  }
  return joined;
}
