// HTML within Markdown: blocks are read as HTML is, tags within a line are taken as marks of what is between them.
import type { ElementContent } from "hast";
import type { Parents, PhrasingContent, RootContent, Text } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import { visit } from "unist-util-visit";
import { element, isElement } from "../html/element.js";
import { controlledIds, isHidden } from "../html/hidden.js";
import { parseHtml } from "../html/parse-html.js";
import { tidy } from "../html/tidy.js";
import { htmlToMdast } from "../html/to-mdast.js";
import type { LeaveOut } from "../reader.js";
import { shiftLines } from "./parse-markdown.js";

const ELEMENTS = new Set(
  (
    "a abbr acronym address area article aside audio b base bdi bdo big blink blockquote body br button canvas caption center cite code col " +
    "colgroup data datalist dd del details dfn dialog dir div dl dt em embed fieldset figcaption figure font footer form frame frameset h1 " +
    "h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label legend li link main map mark marquee math menu meta meter nav " +
    "nobr noframes noscript object ol optgroup option output p param picture pre progress q rb rp rt ruby s samp script search section select " +
    "slot small source span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u " +
    "ul var video wbr"
  ).split(" "),
);
const TAG = /^<(\/?)([A-Za-z][\w.:-]*)([\s\S]*?)(\/?)>$/;
const VOID = /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)$/;

const TARGET = String.raw`(?:\([^()\s]{0,1000}\)|\[[^\[\]]{0,200}\])`;
const IMAGE = new RegExp(String.raw`\[!\[[^\[\]]{0,300}\]${TARGET}\]${TARGET}|!\[[^\[\]]{0,300}\]${TARGET}`, "g");

interface Tag {
  closes: boolean;
  name: string;
  attributes: string;
}

function tagOf(html: string): Tag | undefined {
  const match = TAG.exec(html);
  if (!match) return undefined;
  return { closes: match[1] === "/", name: (match[2] ?? "").toLowerCase(), attributes: match[3] ?? "" };
}

const NO_CONTROLS: ReadonlySet<string> = new Set();

/** Whether an opening tag begins something that nobody sees. */
function beginsHidden(tag: Tag): boolean {
  if (tag.closes || VOID.test(tag.name)) return false;
  if (/^(?:script|style|template)$/.test(tag.name)) return true;
  if (!/\b(?:hidden|style|class)\b/i.test(tag.attributes)) return false;
  const [parsed] = parseHtml(`<div ${tag.attributes}></div>`, "", true).children;
  return isElement(parsed) && isHidden(parsed, NO_CONTROLS);
}

function attributeOf(tag: Tag, name: string): string {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "i").exec(tag.attributes);
  return match?.[1] ?? match?.[2] ?? match?.[3] ?? "";
}

class HtmlInMarkdown {
  private anchor: string | undefined;

  constructor(
    private readonly path: string,
    private readonly leaveOut: LeaveOut,
  ) {}

  private block(html: string, line: number): RootContent[] {
    const root = parseHtml(html, this.path, true);
    if (root.children.length > 0 && root.children.every(({ type }) => type === "comment")) {
      this.leaveOut("comments", html, line);
      return [];
    }
    const holder = element("div", root.children as ElementContent[]);
    tidy(holder, { leaveOut: this.leaveOut, named: true, controlled: controlledIds(root) });
    const { children } = htmlToMdast(holder);
    shiftLines(children, line - 1);
    visit({ type: "root", children }, "text", (node) => {
      node.value = this.withoutBadges(node);
    });
    return children;
  }

  /** Children of a block that holds blocks. An element that is hidden may begin and end in different blocks of HTML. */
  flow(parent: Parents): void {
    const made: RootContent[] = [];
    let hidden: { name: string; depth: number } | undefined;
    for (const child of parent.children as RootContent[]) {
      if (child.type === "html") {
        const line = child.position?.start.line ?? 1;
        const before = hidden;
        hidden = this.track(child.value, hidden);
        if (before && hidden) this.leaveOut("hidden parts", child.value, line);
        else this.push(made, this.block(child.value, line));
        continue;
      }
      if (hidden) {
        this.leaveOut("hidden parts", textOf(child), child.position?.start.line);
        continue;
      }
      this.push(made, [this.resolve(child)]);
    }
    parent.children = made as typeof parent.children;
  }

  private push(made: RootContent[], nodes: readonly RootContent[]): void {
    for (const node of nodes) {
      if (
        node.type === "paragraph" &&
        node.children.every((inner) => inner.type === "text" && inner.value.trim() === "")
      )
        continue;
      if (this.anchor !== undefined && node.data?.anchor === undefined)
        node.data = { ...node.data, anchor: this.anchor };
      this.anchor = undefined;
      made.push(node);
    }
  }

  private resolve(node: RootContent): RootContent {
    if (node.type === "paragraph" || node.type === "heading") {
      node.children = this.phrases(node.children);
    } else if (node.type === "table") {
      for (const row of node.children) for (const cell of row.children) cell.children = this.phrases(cell.children);
    } else if ("children" in node) this.flow(node as Parents);
    return node;
  }

  /** Follows what is open at the end of a block of HTML: the hidden element that the next blocks are in. */
  private track(
    html: string,
    open: { name: string; depth: number } | undefined,
  ): { name: string; depth: number } | undefined {
    if (html.startsWith("<!--")) return open;
    let hidden = open;
    for (const [whole] of html.matchAll(/<\/?[A-Za-z][^<>]{0,2000}>/g)) {
      const tag = tagOf(whole);
      if (!tag || VOID.test(tag.name) || whole.endsWith("/>")) continue;
      if (hidden === undefined) {
        if (beginsHidden(tag)) hidden = { name: tag.name, depth: 1 };
      } else if (tag.name === hidden.name) {
        const depth: number = hidden.depth + (tag.closes ? -1 : 1);
        hidden = depth === 0 ? undefined : { name: hidden.name, depth };
      }
    }
    return hidden;
  }

  private phrases(nodes: readonly PhrasingContent[]): PhrasingContent[] {
    const tags = nodes.map((node) => (node.type === "html" ? tagOf(node.value) : undefined));
    const closed = new Set(tags.flatMap((tag) => (tag?.closes ? [tag.name] : [])));
    const made: PhrasingContent[] = [];
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i] as PhrasingContent;
      if (node.type !== "html") {
        if (node.type === "text") node.value = this.withoutBadges(node);
        if ("children" in node) node.children = this.phrases(node.children as PhrasingContent[]) as never;
        made.push(node);
        continue;
      }
      const tag = tags[i];
      if (tag === undefined) {
        this.leaveOut("comments", node.value, node.position?.start.line);
        continue;
      }
      const end =
        tag.closes || !closed.has(tag.name)
          ? -1
          : tags.findIndex((later, at) => at > i && later?.closes === true && later.name === tag.name);
      if (end > i && beginsHidden(tag)) {
        this.leaveOut(
          "hidden parts",
          nodes
            .slice(i + 1, end)
            .map((inner) => textOf(inner))
            .join(""),
          node.position?.start.line,
        );
        i = end;
        continue;
      }
      if (end > i && /^(?:code|tt|samp)$/.test(tag.name)) {
        made.push({
          type: "inlineCode",
          value: nodes
            .slice(i + 1, end)
            .map((inner) => (inner.type === "html" ? "" : textOf(inner)))
            .join(""),
        });
        i = end;
        continue;
      }
      made.push(...this.tag(tag, node.value, closed));
    }
    return made;
  }

  /** Images that are left as text: their address is not defined, or a block of HTML is around. They are badges, most often. */
  private withoutBadges({ value, position }: Text): string {
    return value.includes("![")
      ? value.replace(IMAGE, (image) => {
          this.leaveOut("images", image, position?.start.line);
          return "";
        })
      : value;
  }

  private tag(tag: Tag, value: string, closed: ReadonlySet<string | undefined>): PhrasingContent[] {
    if (tag.name === "br" && !tag.closes) return [{ type: "break" }];
    if (tag.name === "img") return [{ type: "image", url: "", alt: attributeOf(tag, "alt") }];
    if (tag.name === "a" && !tag.closes)
      this.anchor = attributeOf(tag, "id") || attributeOf(tag, "name") || this.anchor;
    // `Map<String>` and `<name>` are no tags to a reader.
    const literal =
      !ELEMENTS.has(tag.name) &&
      !closed.has(tag.name) &&
      tag.attributes.trim() === "" &&
      !value.endsWith("/>") &&
      !tag.name.includes("-");
    return literal && !tag.closes ? [{ type: "text", value } satisfies Text] : [];
  }
}

/** Puts in place of all `html` nodes what a reader sees of them. */
export function resolveHtml(root: Parents, path: string, leaveOut: LeaveOut): void {
  new HtmlInMarkdown(path, leaveOut).flow(root);
}
