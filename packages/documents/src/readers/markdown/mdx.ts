// MDX: Markdown with imports, expressions and components. What stands within components stays; what only a program reads goes.
import type { ElementContent, ElementData } from "hast";
import type { Nodes, Parents, PhrasingContent, Root, RootContent } from "mdast";
import type { MdxJsxAttribute, MdxJsxFlowElement, MdxJsxTextElement } from "mdast-util-mdx";
import { toString as textOf } from "mdast-util-to-string";
import { htmlToMdast } from "../html/to-mdast.js";
import type { LeaveOut, ReadContext } from "../reader.js";
import { titleParagraph } from "./containers.js";

type Jsx = MdxJsxFlowElement | MdxJsxTextElement;

/** Attributes of components that are shown. */
const SHOWN = /^(?:title|label|heading|header|summary|caption|description|text|subtitle)$/i;
/** Elements of HTML whose parts belong together. */
const STRUCTURED = /^(?:table|ul|ol|dl|pre)$/;
const HEADING = /^h([1-6])$/;
const IMPORT = /^\s*import\s+([A-Za-z_$][\w$]*)\s+from\s+["']([^"']+\.mdx?)["']/;

/** A file whose text is shown: `import code from "!!raw-loader!./a.js"`, `"./a.js?raw"`. */
const RAW_IMPORT = /^\s*import\s+([A-Za-z_$][\w$]*)\s+from\s+["'](?:!!raw-loader!([^"']+)|([^"']+)\?raw)["']/;

const isJsx = (node: Nodes): node is Jsx => node.type === "mdxJsxFlowElement" || node.type === "mdxJsxTextElement";

/** The text of an expression that is nothing but a text. */
function literal(expression: string): string | undefined {
  const match = /^\s*(?:"([^"\\]*)"|'([^'\\]*)'|`([^`\\$]*)`)\s*$/.exec(expression);
  return match ? (match[1] ?? match[2] ?? match[3]) : undefined;
}

function attributeOf(node: Jsx, name: string | RegExp): string | undefined {
  for (const attribute of node.attributes) {
    if (attribute.type !== "mdxJsxAttribute") continue;
    if (typeof name === "string" ? attribute.name !== name : !name.test(attribute.name)) continue;
    const { value } = attribute as MdxJsxAttribute;
    const text = typeof value === "string" ? value : value ? literal(value.value) : undefined;
    if (text !== undefined && text.trim() !== "") return text;
  }
  return undefined;
}

/** An element written in JSX as HTML, so that tables and lists are read as HTML's are. */
function toHast(node: Nodes): ElementContent[] {
  if (isJsx(node)) {
    const children = node.children.flatMap((child) => toHast(child));
    if (node.name === null || /^[A-Z]/.test(node.name)) return children;
    const className = attributeOf(node, "className");
    const id = attributeOf(node, "id");
    return [
      {
        type: "element",
        tagName: node.name,
        properties: { ...(className ? { className: [className] } : {}), ...(id ? { id } : {}) },
        children,
      },
    ];
  }
  switch (node.type) {
    case "text":
      return [{ type: "text", value: node.value }];
    case "mdxTextExpression":
    case "mdxFlowExpression":
      return [{ type: "text", value: literal(node.value) ?? "" }];
    case "inlineCode":
      return [{ type: "element", tagName: "code", properties: {}, children: [{ type: "text", value: node.value }] }];
    case "code":
      return [
        {
          type: "element",
          tagName: "pre",
          properties: {},
          data: { lang: node.lang ?? undefined } as ElementData,
          children: [{ type: "text", value: node.value }],
        },
      ];
    case "paragraph":
      return [
        { type: "element", tagName: "p", properties: {}, children: node.children.flatMap((child) => toHast(child)) },
      ];
    case "list":
      return [
        {
          type: "element",
          tagName: node.ordered ? "ol" : "ul",
          properties: {},
          children: node.children.flatMap((child) => toHast(child)),
        },
      ];
    case "listItem":
      return [
        { type: "element", tagName: "li", properties: {}, children: node.children.flatMap((child) => toHast(child)) },
      ];
    default:
      return "children" in node ? (node as Parents).children.flatMap((child) => toHast(child)) : [];
  }
}

/** A line of nothing but components is a block: these as blocks. Elements that belong into a line are none. */
function onlyElements(nodes: readonly PhrasingContent[]): RootContent[] | undefined {
  const words = nodes.filter((node) => node.type !== "text" || node.value.trim() !== "");
  const blocks = words.map((node): RootContent | undefined => {
    if (node.type === "mdxTextExpression") return { ...node, type: "mdxFlowExpression" };
    if (
      node.type !== "mdxJsxTextElement" ||
      !/^(?:[A-Z]|table$|ul$|ol$|dl$|div$|section$|details$|p$|h[1-6]$)/.test(node.name ?? "")
    )
      return undefined;
    const inner = onlyElements(node.children as PhrasingContent[]);
    const children = inner ?? [{ type: "paragraph", children: node.children as PhrasingContent[] }];
    return {
      ...node,
      type: "mdxJsxFlowElement",
      children: (STRUCTURED.test(node.name ?? "") ? node.children : children) as never,
    };
  });
  return blocks.length > 0 && blocks.every((block) => block !== undefined) ? blocks : undefined;
}

/** A page of Markdown taken in by `import Part from "./_part.mdx"` and shown by `<Part />`. */
export type ReadPart = (path: string, line: number | undefined) => Promise<RootContent[]>;
/** The text of a file that is taken in as it is. */
export type ReadRaw = (path: string, line: number | undefined) => Promise<string | undefined>;

class Mdx {
  private readonly parts = new Map<string, string>();
  private readonly raws = new Map<string, string>();

  constructor(
    private readonly leaveOut: LeaveOut,
    private readonly readPart: ReadPart,
    private readonly readRaw: ReadRaw,
  ) {}

  private program(value: string, line: number | undefined): void {
    this.leaveOut("imports, exports and expressions", value, line);
    for (const statement of value.split("\n")) {
      const match = IMPORT.exec(statement);
      if (match?.[1] && match[2]) this.parts.set(match[1], match[2].replace(/^@site\//, "/"));
      const [, name, loaded, asked] = RAW_IMPORT.exec(statement) ?? [];
      const path = loaded ?? asked;
      if (name && path) this.raws.set(name, path.replace(/^@site\//, "/"));
    }
  }

  /** A component that shows code: what stands in it, written out or as the name of a file that was imported as text. */
  private async codeBlock(node: MdxJsxFlowElement): Promise<RootContent[] | undefined> {
    const expressions = (node.children as RootContent[])
      .flatMap((child): RootContent[] => (child.type === "paragraph" ? child.children : [child]))
      .flatMap((child) =>
        child.type === "mdxFlowExpression" || child.type === "mdxTextExpression" ? [child.value] : [],
      );
    const [only] = expressions;
    if (only === undefined || expressions.length > 1) return undefined;
    const line = node.position?.start.line;
    const path = this.raws.get(only.trim());
    const value = path === undefined ? literal(only) : await this.readRaw(path, line);
    if (value === undefined) return path === undefined ? undefined : [];
    const lang = attributeOf(node, /^(?:language|lang)$/) ?? /\.(\w+)$/.exec(path ?? "")?.[1];
    const title = attributeOf(node, "title");
    return [
      ...(title ? [titleParagraph([{ type: "text", value: title }], node as never)] : []),
      {
        type: "code",
        value: value.replace(/^\n+|\s+$/g, ""),
        ...(lang ? { lang } : {}),
        ...(node.position ? { position: node.position } : {}),
      },
    ];
  }

  async flow(parent: Parents): Promise<void> {
    const made: RootContent[] = [];
    for (const child of parent.children as RootContent[]) made.push(...(await this.child(child)));
    parent.children = made as typeof parent.children;
  }

  private async child(child: RootContent): Promise<RootContent[]> {
    const line = child.position?.start.line;
    switch (child.type) {
      case "mdxjsEsm":
        this.program(child.value, line);
        return [];
      case "mdxFlowExpression": {
        const text = literal(child.value);
        if (text === undefined) this.program(child.value, line);
        return text === undefined ? [] : [{ type: "paragraph", children: [{ type: "text", value: text }] }];
      }
      case "mdxJsxFlowElement":
        return this.element(child);
      case "paragraph": {
        const elements = onlyElements(child.children);
        if (elements === undefined) {
          child.children = this.phrases(child.children);
          return [child];
        }
        const made: RootContent[] = [];
        for (const element of elements) made.push(...(await this.child(element)));
        return made;
      }
      case "heading":
        child.children = this.phrases(child.children);
        return [child];
      case "table":
        for (const row of child.children) for (const cell of row.children) cell.children = this.phrases(cell.children);
        return [child];
      default:
        if ("children" in child) await this.flow(child as Parents);
        return [child];
    }
  }

  private async element(node: MdxJsxFlowElement): Promise<RootContent[]> {
    const name = node.name ?? "";
    const line = node.position?.start.line;
    if (STRUCTURED.test(name)) return htmlToMdast({ type: "root", children: toHast(node) }).children;
    if (/^(?:script|style)$/.test(name)) {
      this.leaveOut("scripts and styles", textOf(node), line);
      return [];
    }
    const part = this.parts.get(name);
    if (part !== undefined) return this.readPart(part, line);
    if (/^(?:CodeBlock|Code)$/.test(name)) {
      const code = await this.codeBlock(node);
      if (code !== undefined) return code;
    }
    await this.flow(node);
    const children = node.children as RootContent[];
    const depth = HEADING.exec(name)?.[1];
    if (depth) {
      const id = attributeOf(node, "id");
      const inline = children.flatMap((child) =>
        child.type === "paragraph" ? child.children : [],
      ) as PhrasingContent[];
      return [
        { type: "heading", depth: Number(depth) as 1, children: inline, ...(id ? { data: { anchor: id } } : {}) },
      ];
    }
    if (name === "img")
      return [{ type: "paragraph", children: [{ type: "image", url: "", alt: attributeOf(node, "alt") ?? "" }] }];
    const shown = node.attributes.length > 0 && /^[A-Z]/.test(name) ? attributeOf(node, SHOWN) : undefined;
    if (shown === undefined) return children;
    return [titleParagraph([{ type: "text", value: shown }], node as never), ...children];
  }

  private phrases(nodes: readonly PhrasingContent[]): PhrasingContent[] {
    return nodes.flatMap((node): PhrasingContent[] => {
      if (node.type === "mdxTextExpression") {
        const text = literal(node.value);
        if (text === undefined)
          this.leaveOut("imports, exports and expressions", node.value, node.position?.start.line);
        return text === undefined ? [] : [{ type: "text", value: text }];
      }
      if (node.type === "mdxJsxTextElement") {
        if (node.name === "br") return [{ type: "break" }];
        if (node.name === "img") return [{ type: "image", url: "", alt: attributeOf(node, "alt") ?? "" }];
        const children = this.phrases(node.children as PhrasingContent[]);
        if (node.name === "code")
          return [{ type: "inlineCode", value: children.map((child) => textOf(child)).join("") }];
        const shown = /^[A-Z]/.test(node.name ?? "") && children.length === 0 ? attributeOf(node, SHOWN) : undefined;
        return shown === undefined ? children : [{ type: "text", value: shown }];
      }
      if ("children" in node) node.children = this.phrases(node.children as PhrasingContent[]) as never;
      return [node];
    });
  }
}

/** Whether a tree parsed as Markdown has what only MDX gives a meaning: imports, exports, components. */
export function looksLikeMdx(root: Root): boolean {
  return root.children.some((node) => {
    if (node.type === "html")
      return /^<[A-Z][A-Za-z]*[A-Z]?[\s/>]/.test(node.value) && !/^<(?:[A-Z]+|!)[\s>]/.test(node.value);
    if (node.type !== "paragraph") return false;
    const text = textOf(node);
    return /^(?:import\s+[\w${},*\s]{1,200}\s+from\s+["']|import\s+["']|export\s+(?:const|default|function)\s)/.test(
      text,
    );
  });
}

/** Puts what a reader sees in place of all nodes of MDX. */
export async function resolveMdx(
  root: Parents,
  context: Pick<ReadContext, "leaveOut">,
  readPart: ReadPart,
  readRaw: ReadRaw,
): Promise<void> {
  await new Mdx(context.leaveOut, readPart, readRaw).flow(root);
}
