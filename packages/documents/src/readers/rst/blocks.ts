import type { Blockquote, FootnoteDefinition, Heading, List, PhrasingContent, RootContent } from "mdast";
import type { ReadContext } from "../reader.js";
import { type DirectivePage, Directives } from "./directives.js";
import { inlineOf, plainOf, type References, unescaped } from "./inline.js";
import { parseRst, type RstNode } from "./parse-rst.js";
import { placeOf, term } from "./place.js";
import { drawnTable } from "./tables.js";

const FIELDS: readonly [RegExp, string][] = [
  [/^(?:param|parameter|arg|argument|key|keyword)\s+(.*)$/, "Parameter $1"],
  [/^type\s+(.*)$/, "Type of $1"],
  [/^returns?$/, "Returns"],
  [/^rtype$/, "Return type"],
  [/^(?:raises?|except|exception)\s+(.*)$/, "Raises $1"],
  [/^(?:var|ivar|cvar)\s+(.*)$/, "Variable $1"],
];
/** Fields at the top of a page that tell Sphinx something. */
const META = /^(?:orphan|tocdepth|no-?comments|no-?search|hide-\w+|template)$/;

/** The id that docutils gives a title. */
const idOf = (title: string): string =>
  title
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[-0-9]+|-+$/g, "");

/** Makes blocks of Markdown's tree of those of reStructuredText. */
export class Blocks implements DirectivePage {
  /** Of blocks of code that name none (`highlight`). */
  language: string | undefined;
  private readonly directives = new Directives(this);
  private readonly ids = new Set<string>();
  private readonly numbers = new Map<string, string>();
  readonly references: References;

  constructor(
    readonly path: string,
    readonly lines: readonly string[],
    readonly context: ReadContext,
    /** The included file that the lines are of, and how deep it is taken in. */
    readonly base?: string,
    readonly depth = 0,
    outer?: References,
  ) {
    this.references = outer ?? {
      substitutions: new Map(),
      titles: new Map(),
      footnotes: (label) => this.numberOf(label),
      included: 0,
    };
  }

  /** `#` and `*` count; other labels stay, less the `#` before a name. */
  private numberOf(label: string): string {
    if (/^\d+$/.test(label)) return label;
    const key = label === "#" || label === "*" ? label : label.slice(1);
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    if (key.length > 1) this.numbers.set(key, key);
    return key;
  }

  lineOf(nodes: readonly RstNode[]): PhrasingContent[] {
    return nodes.flatMap((node, i): PhrasingContent[] => {
      const gap: PhrasingContent[] = i > 0 ? [{ type: "text", value: " " }] : [];
      if (node.type === "LiteralBlock" || node.type === "DoctestBlock")
        return [...gap, { type: "inlineCode", value: node.data.rawText ?? "" }];
      const blocks = node.children.some(({ data, type }) => data.rawText === undefined || type.endsWith("Block"));
      return [...gap, ...(blocks ? this.lineOf(node.children) : inlineOf(node.children, this.references))];
    });
  }

  /** Definitions that the text before them may use. */
  collect(nodes: readonly RstNode[]): void {
    let label: string[] = [];
    for (const node of nodes) {
      const { rawNeedle, rawDirective, rawLabel, rawTarget } = node.data;
      if (node.type === "SubstitutionDef" && rawNeedle) {
        const shown =
          rawDirective === "image"
            ? []
            : inlineOf(
                [...(node.data.initContent ?? []), ...node.children].flatMap((one) => one.children),
                this.references,
              );
        const [first] = shown;
        const value =
          rawDirective === "unicode" && first?.type === "text"
            ? [
                {
                  ...first,
                  value: first.value.replace(/(?:U\+|0x|\\[ux])([0-9a-f]{2,6})/gi, (_, code: string) =>
                    codePoint(code),
                  ),
                },
              ]
            : shown;
        this.references.substitutions.set(unescaped(rawNeedle).toLowerCase(), value);
      }
      if (node.type === "HyperlinkTarget" && rawLabel) {
        if (rawTarget) this.references.titles.set(unescaped(rawLabel).toLowerCase(), unescaped(rawTarget));
        else label.push(unescaped(rawLabel).toLowerCase());
      } else {
        if (node.type === "Section") for (const one of label) this.references.titles.set(one, plainOf(node.children));
        label = [];
      }
      this.collect(node.children);
    }
  }

  async flow(nodes: readonly RstNode[]): Promise<RootContent[]> {
    const made: RootContent[] = [];
    for (const [i, node] of nodes.entries()) {
      await this.context.turn();
      for (const child of await this.block(node, nodes[i + 1])) {
        // Lines of an included file are not the page's.
        if (this.base === undefined) child.position ??= placeOf(node);
        else delete child.position;
        made.push(child);
      }
    }
    return made;
  }

  /** A file that the page takes in, in place of the directive. */
  async included(text: string, path: string, at: RstNode): Promise<RootContent[]> {
    const root = await parseRst(text, { path, turn: this.context.turn });
    const inner = new Blocks(this.path, text.split("\n"), this.context, path, this.depth + 1, this.references);
    inner.language = this.language;
    inner.collect(root.children);
    const made = await inner.flow(root.children);
    for (const node of made) node.position = placeOf(at);
    return made;
  }

  private async block(node: RstNode, next: RstNode | undefined): Promise<RootContent[]> {
    const { data, children } = node;
    switch (node.type) {
      case "Section":
        return [this.heading(node)];
      case "Paragraph":
        return this.paragraph(node, next);
      case "BulletList":
      case "EnumeratedList":
        return [await this.list(node)];
      case "DefinitionList":
        return this.definitions(children);
      case "FieldList":
        return this.fields(children);
      case "OptionList":
        return this.options(children);
      case "LiteralBlock":
        return [{ type: "code", value: data.rawText ?? "", ...(this.language ? { lang: this.language } : {}) }];
      case "DoctestBlock":
        return [{ type: "code", value: data.rawText ?? "", lang: "python" }];
      case "LineBlock":
        return [{ type: "paragraph", children: this.verse(children) }];
      case "Blockquote":
        return [{ type: "blockquote", children: (await this.flow(children)) as Blockquote["children"] }];
      case "BlockquoteAttribution":
        return [
          { type: "paragraph", children: [{ type: "text", value: "— " }, ...inlineOf(children, this.references)] },
        ];
      case "Table":
        return [drawnTable(node, (cells) => this.lineOf(cells))];
      case "FootnoteDef":
        return [await this.footnote(node)];
      case "CitationDef":
        return [term([{ type: "text", value: `[${unescaped(data.rawLabel ?? "")}]` }]), ...(await this.flow(children))];
      case "Comment":
        this.context.leaveOut("comments", data.rawText ?? "", node.source.startLineIdx + 1);
        return [];
      case "Directive":
        return this.directives.read(node);
      case "HyperlinkTarget":
      case "SubstitutionDef":
      case "Transition":
        return [];
      default:
        if (children.length > 0) return this.flow(children);
        return data.rawText ? [{ type: "paragraph", children: inlineOf([node], this.references) }] : [];
    }
  }

  private heading({ data, children }: RstNode): Heading {
    const id = idOf(plainOf(children));
    const anchor = id !== "" && !this.ids.has(id) ? id : undefined;
    this.ids.add(id);
    return {
      type: "heading",
      depth: Math.min(6, data.level ?? 1) as Heading["depth"],
      children: inlineOf(children, this.references),
      ...(anchor ? { data: { anchor } } : {}),
    };
  }

  /** A definition that is indented otherwise than the others comes as one paragraph: its term is the first line. */
  private paragraph(node: RstNode, next: RstNode | undefined): RootContent[] {
    const children = inlineOf(node.children, this.references);
    const last = children.at(-1);
    if (last?.type === "text" && next?.type === "LiteralBlock")
      last.value = last.value.replace(/(^|\s)::\s*$/, "").replace(/::\s*$/, ":");
    const [first] = children;
    const source = this.lines.slice(node.source.startLineIdx, node.source.endLineIdx);
    const raw = node.children[0]?.data.rawText ?? "";
    const definition = source[0] === raw.split("\n")[0] && source.slice(1).every((line) => /^\s+\S/.test(line));
    if (definition && first?.type === "text" && first.value.includes("\n")) {
      const at = first.value.indexOf("\n");
      const head = term([{ type: "text", value: first.value.slice(0, at) }], node);
      first.value = first.value.slice(at + 1).trimStart();
      return [head, { type: "paragraph", children }];
    }
    if (first?.type === "text") first.value = first.value.trimStart();
    return [{ type: "paragraph", children }];
  }

  private async list(node: RstNode): Promise<List> {
    const list: List = { type: "list", ordered: node.type === "EnumeratedList", spread: false, children: [] };
    for (const { children } of node.children) {
      const content = (await this.flow(children)) as List["children"][number]["children"];
      const spread = content.filter(({ type }) => type === "paragraph").length > 1;
      list.children.push({ type: "listItem", spread, children: content });
    }
    const first = Number(node.children[0]?.data.bullet);
    return Number.isInteger(first) ? { ...list, start: first } : list;
  }

  private async definitions(items: readonly RstNode[]): Promise<RootContent[]> {
    const made: RootContent[] = [];
    for (const item of items) {
      const line = inlineOf(item.data.term ?? [], this.references);
      for (const classifier of item.data.classifiers ?? []) {
        line.push({ type: "text", value: " : " }, ...inlineOf(classifier, this.references));
      }
      made.push(term(line, item), ...(await this.flow(item.children)));
    }
    return made;
  }

  private async fields(items: readonly RstNode[]): Promise<RootContent[]> {
    const made: RootContent[] = [];
    for (const item of items) {
      const name = plainOf(item.data.name ?? []).trim();
      if (META.test(name)) continue;
      const [rule, shown] = FIELDS.find(([test]) => test.test(name)) ?? [];
      const said: PhrasingContent = { type: "text", value: `${rule && shown ? name.replace(rule, shown) : name}: ` };
      const [first, ...rest] = await this.flow(item.children);
      if (first?.type === "paragraph") made.push({ ...first, children: [said, ...first.children] }, ...rest);
      else made.push(term([said], item), ...(first ? [first, ...rest] : []));
    }
    return made;
  }

  private async options(items: readonly RstNode[]): Promise<RootContent[]> {
    const made: RootContent[] = [];
    for (const { data, children } of items) {
      const value = (data.options ?? [])
        .map(({ name, delimiter = " ", rawArgName }) => (rawArgName ? `${name}${delimiter}${rawArgName}` : name))
        .join(", ");
      made.push(term([{ type: "inlineCode", value }]), ...(await this.flow(children)));
    }
    return made;
  }

  private verse(lines: readonly RstNode[]): PhrasingContent[] {
    return lines.flatMap((line, i): PhrasingContent[] => [
      ...(i > 0 ? [{ type: "break" } as const] : []),
      ...(line.type === "LineBlock" ? this.verse(line.children) : inlineOf(line.children, this.references)),
    ]);
  }

  private async footnote({ data, children }: RstNode): Promise<FootnoteDefinition> {
    const label = this.references.footnotes(unescaped(data.rawLabel ?? ""));
    return {
      type: "footnoteDefinition",
      identifier: label,
      label,
      children: (await this.flow(children)) as FootnoteDefinition["children"],
    };
  }
}

function codePoint(code: string): string {
  const number = Number.parseInt(code, 16);
  return number <= 0x10ffff ? String.fromCodePoint(number) : "";
}
