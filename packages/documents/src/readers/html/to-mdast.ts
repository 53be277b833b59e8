// An element's text as a tree, in one walk. White space is collapsed as a browser does; elements of a line that hold blocks are blocks.
import type { Element, Nodes as HastNodes, Parents as HastParents } from "hast";
import type {
  Blockquote,
  Code,
  Heading,
  Link,
  List,
  ListItem,
  Paragraph,
  PhrasingContent,
  Root,
  RootContent,
  Table,
  TableCell,
  TableRow,
} from "mdast";
import { codeText } from "./code-text.js";
import { attribute, find, HEADING, isElement, textOf } from "./element.js";

declare module "hast" {
  interface ElementData {
    /** Language of a block of code. */
    lang?: string;
    /** A paragraph that names what the next ones say. */
    term?: boolean;
  }
}

const BLOCKS = new Set(
  (
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer form frameset h1 " +
    "h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol optgroup p plaintext pre search section summary table tbody td " +
    "tfoot th thead tr ul xmp"
  ).split(" "),
);
/** Elements of a line that stand apart from the words beside them, as boxes do. */
const BOXES = /^(?:button|option|label|select|output|rt)$/;
const NO_TEXT =
  /^(?:input|textarea|script|style|template|iframe|object|embed|video|audio|canvas|svg|head|title|link|meta|datalist|rp|wbr|col|colgroup|param|source|track)$/;
const MARKED: Readonly<Record<string, "emphasis" | "strong" | "delete">> = {
  em: "emphasis",
  i: "emphasis",
  cite: "emphasis",
  dfn: "emphasis",
  b: "strong",
  strong: "strong",
  del: "delete",
  s: "delete",
  strike: "delete",
};
const CODE = /^(?:code|tt|samp)$/;

/** What no cell of a table of values holds. */
const LAID_OUT = /^(?:pre|table|h[1-6]|dl)$/;
const LISTS = /^(?:ul|ol)$/;

/** Collects the content of a line; white space at its ends and in a row is one blank or none. */
class Line {
  readonly nodes: PhrasingContent[] = [];
  private readonly into: PhrasingContent[][] = [this.nodes];
  /** Whether the next blank is one too many. */
  private blank = true;
  private lastText: { value: string } | undefined;

  text(value: string, position: HastNodes["position"]): void {
    let collapsed = value.replace(/[ \t\n\r\f]+/g, " ");
    if (this.blank && collapsed.startsWith(" ")) collapsed = collapsed.slice(1);
    if (collapsed === "") return;
    this.blank = collapsed.endsWith(" ");
    const target = this.target();
    const before = target.at(-1);
    if (before?.type === "text") before.value += collapsed;
    else target.push({ type: "text", value: collapsed, ...(position ? { position } : {}) });
    this.lastText = target.at(-1) as { value: string };
  }

  push(node: PhrasingContent): void {
    this.target().push(node);
    this.lastText = undefined;
    this.blank = node.type === "break";
  }

  /** What `write` collects goes into a node; nothing is left of one that stays empty. */
  within(make: (children: PhrasingContent[]) => PhrasingContent, write: () => void): void {
    const children: PhrasingContent[] = [];
    this.into.push(children);
    write();
    this.into.pop();
    if (children.length > 0) this.target().push(make(children));
  }

  take(): PhrasingContent[] {
    if (this.lastText) this.lastText.value = this.lastText.value.trimEnd();
    while (this.nodes.at(-1)?.type === "break") this.nodes.pop();
    return this.nodes;
  }

  private target(): PhrasingContent[] {
    return this.into.at(-1) ?? this.nodes;
  }
}

const place = (node: HastNodes): Pick<Paragraph, "position"> => (node.position ? { position: node.position } : {});
const withAnchor = (anchor: string | undefined): Pick<Paragraph, "data"> => (anchor ? { data: { anchor } } : {});
const idOf = (node: Element): string => attribute(node, "id") || (node.tagName === "a" ? attribute(node, "name") : "");

class Converter {
  /** Elements of a line that hold blocks. */
  private readonly holders = new WeakSet<Element>();
  private readonly seen = new WeakSet<Element>();

  private isBlock(node: Element): boolean {
    if (BLOCKS.has(node.tagName)) return true;
    if (!this.seen.has(node)) {
      this.seen.add(node);
      if (node.children.some((child) => isElement(child) && this.isBlock(child))) this.holders.add(node);
    }
    return this.holders.has(node);
  }

  /** The children of an element as blocks; words between blocks are paragraphs. */
  flow(parent: HastParents): RootContent[] {
    const made: RootContent[] = [];
    let line = new Line();
    let from: HastNodes | undefined;
    const close = (): void => {
      const children = line.take();
      if (children.length > 0) made.push({ type: "paragraph", children, ...(from ? place(from) : {}) });
      line = new Line();
      from = undefined;
    };
    for (const child of parent.children) {
      if (isElement(child) && this.isBlock(child)) {
        close();
        for (const node of this.block(child, parent)) made.push(node);
      } else if (child.type === "text" || isElement(child)) {
        if (child.type !== "text" || child.value.trim() !== "") from ??= child;
        this.phrase(child, line);
      }
    }
    close();
    return made;
  }

  /** The content of an element in which nothing is a block; blocks in it stand apart by a blank. */
  private line(parent: HastParents): PhrasingContent[] {
    const line = new Line();
    this.phrases(parent, line);
    return line.take();
  }

  private phrases(parent: HastParents, line: Line): void {
    for (const child of parent.children) this.phrase(child, line);
  }

  private phrase(node: HastNodes, line: Line): void {
    if (node.type === "text") {
      line.text(node.value, node.position);
      return;
    }
    if (!isElement(node) || NO_TEXT.test(node.tagName)) return;
    const { tagName } = node;
    if (tagName === "br") line.push({ type: "break" });
    else if (tagName === "img" || tagName === "image") {
      line.push({ type: "image", url: "", alt: attribute(node, "alt"), ...place(node) });
    } else if (CODE.test(tagName)) {
      const value = textOf(node).replace(/\s+/g, " ").trim();
      if (value !== "") line.push({ type: "inlineCode", value, ...place(node) });
    } else if (tagName === "a" && node.properties.href !== undefined) {
      const url = attribute(node, "href");
      line.within(
        (children) => ({ type: "link", url, children, ...place(node) }) as Link,
        () => this.phrases(node, line),
      );
    } else if (MARKED[tagName]) {
      const type = MARKED[tagName];
      line.within(
        (children) => ({ type, children, ...place(node) }),
        () => this.phrases(node, line),
      );
    } else if (BOXES.test(tagName) || BLOCKS.has(tagName)) {
      line.text(" ", undefined);
      this.phrases(node, line);
      line.text(" ", undefined);
    } else this.phrases(node, line);
  }

  private block(node: Element, parent: HastParents): RootContent[] {
    const { tagName } = node;
    switch (tagName) {
      case "h1":
      case "h2":
      case "h3":
      case "h4":
      case "h5":
      case "h6":
        return this.heading(node, parent);
      case "p":
        return node.data?.term ? this.term(node, parent) : this.paragraph(node);
      case "pre":
      case "listing":
      case "xmp":
      case "plaintext":
        return [
          {
            type: "code",
            value: codeText(node),
            ...(node.data?.lang ? { lang: node.data.lang } : {}),
            ...place(node),
          } satisfies Code,
        ];
      case "ul":
      case "ol":
      case "menu":
      case "dir":
        return this.list(node);
      case "dt":
      case "summary":
        return this.term(node, parent);
      case "blockquote": {
        const quote: Blockquote = {
          type: "blockquote",
          children: this.flow(node) as Blockquote["children"],
          ...place(node),
        };
        return [quote];
      }
      case "table":
        return this.table(node);
      case "hr":
        return [];
      default:
        return this.anchored(node, this.flow(node));
    }
  }

  /** The id of a wrapper is that of the first thing in it, when that has none. */
  private anchored(node: Element, made: RootContent[]): RootContent[] {
    const id = attribute(node, "id");
    const [first] = made;
    if (
      id !== "" &&
      first &&
      /^(?:section|dl|article|dd|details|li)$/.test(node.tagName) &&
      first.data?.anchor === undefined
    ) {
      first.data = { ...first.data, anchor: id };
    }
    return made;
  }

  private paragraph(node: Element): RootContent[] {
    if (this.holdsBlocks(node)) return this.flow(node);
    const children = this.line(node);
    if (children.length === 0) return [];
    return [{ type: "paragraph", children, ...place(node), ...withAnchor(attribute(node, "id") || undefined) }];
  }

  private holdsBlocks(node: Element): boolean {
    return node.children.some((child) => isElement(child) && this.isBlock(child));
  }

  private heading(node: Element, parent: HastParents): RootContent[] {
    const children = this.line(node);
    if (children.length === 0) return [];
    const depth = Number(node.tagName[1]) as Heading["depth"];
    return [{ type: "heading", depth, children, ...place(node), ...withAnchor(anchorOf(node, parent)) }];
  }

  /** A line that names what follows: the term of a definition, the summary of details. */
  private term(node: Element, parent: HastParents): RootContent[] {
    if (this.holdsBlocks(node)) return this.anchored(node, this.flow(node));
    const children = withoutMarks(this.line(node));
    if (children.length === 0) return [];
    const anchor = anchorOf(node, parent);
    return [{ type: "paragraph", children, ...place(node), data: { term: true, ...(anchor ? { anchor } : {}) } }];
  }

  private list(node: Element): RootContent[] {
    // A list of sections is there for the layout.
    if (find(node, ({ tagName }) => HEADING.test(tagName))) {
      return node.children.flatMap((child) =>
        isElement(child) ? this.anchored(child, this.flow(child)) : this.flow({ type: "root", children: [child] }),
      );
    }
    const items: ListItem[] = [];
    for (const child of node.children) {
      if (isElement(child) && child.tagName === "li") items.push(this.item(child));
      else if (isElement(child) || (child.type === "text" && child.value.trim() !== "")) {
        const stray = this.flow({ type: "root", children: [child] });
        const last = items.at(-1);
        if (last) last.children.push(...(stray as ListItem["children"]));
        else if (stray.length > 0) items.push({ type: "listItem", children: stray as ListItem["children"] });
      }
    }
    const filled = items.filter(({ children }) => children.length > 0);
    if (filled.length === 0) return [];
    const start = Number.parseInt(attribute(node, "start") || "1", 10);
    const list: List = {
      type: "list",
      ordered: node.tagName === "ol",
      start: Number.isFinite(start) ? start : 1,
      spread: filled.some(({ spread }) => spread),
      children: filled,
      ...place(node),
    };
    return [list];
  }

  private item(node: Element): ListItem {
    const children = this.anchored(node, this.flow(node)) as ListItem["children"];
    const box = find(node, ({ tagName, properties }) => tagName === "input" && properties.type === "checkbox");
    const checked = box ? { checked: Boolean(box.properties.checked) } : {};
    const paragraphs = children.filter(({ type }) => type === "paragraph").length;
    return { type: "listItem", spread: paragraphs > 1, children, ...checked, ...place(node) };
  }

  /** A table with code or tables in its cells is there for the layout: what is in it follows in the order of reading. */
  private table(node: Element): RootContent[] {
    const rows: Element[] = [];
    const captions: RootContent[] = [];
    const collect = (parent: HastParents): void => {
      for (const child of parent.children) {
        if (!isElement(child)) continue;
        if (child.tagName === "tr") rows.push(child);
        else if (child.tagName === "caption") captions.push(...this.flow(child));
        else collect(child);
      }
    };
    collect(node);
    const heads = find(node, ({ tagName }) => tagName === "th") !== undefined;
    const layout = find(node, ({ tagName }) => LAID_OUT.test(tagName) || (!heads && LISTS.test(tagName)));
    if (layout) {
      const cells = rows.flatMap((row) => row.children.filter(isElement));
      return [...captions, ...cells.flatMap((cell) => this.anchored(cell, this.flow(cell)))];
    }
    const cells = rows.map((row) => row.children.filter(isElement).map((cell) => this.cell(cell)));
    const filled = cells.filter((row) => row.some(({ children }) => children.length > 0));
    if (filled.length === 0) return captions;
    const table: Table = {
      type: "table",
      children: spanned(rows, cells).map((row): TableRow => ({ type: "tableRow", children: row })),
      ...place(node),
    };
    return [...captions, table];
  }

  private cell(node: Element): TableCell {
    return { type: "tableCell", children: this.line(node), ...place(node) };
  }
}

/** A signature's parts are emphasised for the eye; marks would stand within it. */
function withoutMarks(nodes: readonly PhrasingContent[]): PhrasingContent[] {
  return nodes.flatMap((node) => {
    if (node.type === "emphasis" || node.type === "strong") return withoutMarks(node.children);
    return "children" in node ? [{ ...node, children: withoutMarks(node.children) } as PhrasingContent] : [node];
  });
}

/** At most as many columns or rows are spanned as a table that a person reads has. */
const MOST_SPAN = 100;

/** Rows with an empty cell wherever a cell of an earlier row or column reaches, so that columns stay columns. */
function spanned(rows: readonly Element[], cells: readonly TableCell[][]): TableCell[][] {
  const empty = (): TableCell => ({ type: "tableCell", children: [] });
  /** Of each column, in how many of the next rows it is taken. */
  const taken: number[] = [];
  return rows.map((row, i) => {
    const made: TableCell[] = [];
    const skip = (): void => {
      while ((taken[made.length] ?? 0) > 0) {
        taken[made.length] = (taken[made.length] ?? 0) - 1;
        made.push(empty());
      }
    };
    row.children.filter(isElement).forEach((node, j) => {
      skip();
      const span = (name: string): number =>
        Math.min(MOST_SPAN, Math.max(1, Number.parseInt(attribute(node, name) || "1", 10) || 1));
      const columns = span("colSpan");
      for (let k = 0; k < columns; k++) {
        taken[made.length] = span("rowSpan") - 1;
        made.push(k === 0 ? (cells[i]?.[j] ?? empty()) : empty());
      }
    });
    skip();
    return made;
  });
}

/** Where to link to for an element: its own id, one within it, or that of the section it opens. */
function anchorOf(node: Element, parent: HastParents): string | undefined {
  const own = idOf(node);
  if (own) return own;
  const inner = find(node, (candidate) => idOf(candidate) !== "");
  if (inner) return idOf(inner);
  if (parent.type !== "element" || !/^(?:section|div|header|summary|article|details)$/.test(parent.tagName))
    return undefined;
  const first = parent.children.find((child) => isElement(child));
  return first === node ? attribute(parent, "id") || undefined : undefined;
}

/** The tree of an element's text; lines of the source are kept. */
export function htmlToMdast(node: HastParents): Root {
  return { type: "root", children: new Converter().flow(node) };
}
