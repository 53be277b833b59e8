import type { Element, Root as HastRoot } from "hast";
import { readText } from "../../bytes/read-text.js";
import type { LeaveOut, Page, Reader } from "../reader.js";
import { attribute, elementsOf, find, HEADING, hasWord, isElement, textOf } from "./element.js";
import { controlledIds } from "./hidden.js";
import { mainPart } from "./main-part.js";
import { parseHtml } from "./parse-html.js";
import { tidy } from "./tidy.js";
import { htmlToMdast } from "./to-mdast.js";

/** The largest generated pages (indices of whole libraries) are near 10 MB. */
const MOST_BYTES = 32 * 2 ** 20;

const line = (text: string): string => text.replace(/\s+/g, " ").trim();

/** `<title>` without the name of the site beside it, which can be told when the first heading is a part of it. */
function titleOf(root: HastRoot, main: Element): string | undefined {
  const heading = find(main, ({ tagName }) => tagName === "h1") ?? find(main, ({ tagName }) => HEADING.test(tagName));
  const first = heading ? line(textOf(heading)) : "";
  const head = find(root, ({ tagName }) => tagName === "head");
  const title = head ? find(head, ({ tagName }) => tagName === "title") : undefined;
  const whole = title ? line(textOf(title)) : "";
  if (whole === "") return first || undefined;
  if (first === "") return whole;
  const after = whole.startsWith(first) && /^ ?[|·•–—:»-] /u.test(whole.slice(first.length));
  const before = whole.endsWith(first) && / [|·•–—:»-] $/u.test(whole.slice(0, -first.length));
  return after || before ? first : whole;
}

/** Text outside of the main part, for the count of what is left out. */
function leaveOutRest(root: HastRoot, main: Element, leaveOut: LeaveOut): void {
  const around = new Set<Element>();
  const mains = new Set<Element>(main.position ? [main] : main.children.filter(isElement));
  const mark = (node: Element): boolean => {
    if (mains.has(node)) return true;
    let holds = false;
    for (const child of node.children) if (isElement(child) && mark(child)) holds = true;
    if (holds) around.add(node);
    return holds;
  };
  const body = find(root, ({ tagName }) => tagName === "body");
  if (body === undefined || !mark(body)) return;
  for (const outside of elementsOf(body, (inner) => around.has(inner))) {
    if (mains.has(outside) || around.has(outside) || /^(?:script|style|template|noscript)$/.test(outside.tagName))
      continue;
    const text = line(textOf(outside));
    if (hasWord(text)) leaveOut("parts outside of the main part", text, outside.position?.start.line);
  }
}

/** A page of HTML: its main part without what frames a site, as a tree. */
export function readHtml(html: string, path: string, leaveOut: LeaveOut): Page {
  const root = parseHtml(html, path);
  const meta = find(
    root,
    (candidate) => candidate.tagName === "meta" && attribute(candidate, "name") === "description",
  );
  const description = meta ? attribute(meta, "content").trim() : "";
  const controlled = controlledIds(root);
  const { node, named } = mainPart(root);
  if (named) leaveOutRest(root, node, leaveOut);
  tidy(node, { leaveOut, named, controlled });
  const title = titleOf(root, node);
  return {
    tree: htmlToMdast(node),
    ...(title ? { title } : {}),
    metadata: description ? { description } : {},
  };
}

export const html: Reader = {
  name: "HTML",
  extensions: [".html", ".htm", ".xhtml"],
  async *read({ path }, context) {
    const text = await readText(path, context, { declares: true, mostBytes: MOST_BYTES });
    await context.turn();
    yield readHtml(text, path, context.leaveOut);
  },
};
