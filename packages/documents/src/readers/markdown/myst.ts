// MyST, as Sphinx and Jupyter Book read it: directives written as fences (```` ```{note} Title ````), roles (`{ref}` before code in a line),
// targets of links (`(name)=`). Fences whose name is no directive stay code.
import type { BlockContent, Code, Parents, PhrasingContent, RootContent, Table } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import type { LeaveOut } from "../reader.js";
import { csvTable } from "../rst/tables.js";
import { titleParagraph } from "./containers.js";
import { shiftLines } from "./parse-markdown.js";

const FENCE = /^\{([A-Za-z][\w:-]*)\}$/;
const ADMONITION =
  /^(?:attention|caution|danger|error|hint|important|note|tip|warning|seealso|todo|admonition|versionadded|versionchanged|deprecated)$/;
const SHOWN =
  /^(?:tab-set|tab-item|tabs|tab|grid|grid-item|grid-item-card|card|card-carousel|dropdown|details|figure|table|margin|sidebar|aside|topic|rubric|epigraph|pull-quote|glossary|only|div|container|exercise\w*|solution\w*|(?:prf|proof):\w+|button-\w+)$/;
const NAVIGATION = /^(?:toctree|contents|tableofcontents|bibliography|index|eval-cell)$/;
const CODE = /^(?:code|code-block|code-cell|sourcecode)$/;
/** Roles whose argument is a text to be read; of the others, the argument is code. */
const TEXT_ROLE =
  /^(?:ref|numref|doc|term|eq|abbr|download|any|cite(?::\w+)?|footcite|sub|sup|strong|emphasis|octicon|guilabel|menuselection|index|span|keyref|prf:ref|(?:std:)?(?:ref|doc|term))$/;
const ROLE = /^(?:[A-Za-z]+:)?[A-Za-z][\w-]*$/;
const KNOWN_ROLE =
  /^(?:code|math|kbd|file|program|command|option|envvar|class|func|meth|mod|attr|data|exc|obj|const|samp|literal|(?:py|c|cpp|js|rst):\w+)$/;

interface Directive {
  name: string;
  title: string;
  options: Map<string, string>;
  body: string;
  /** Line of the file before the body's first. */
  line: number;
}

/** Lines of `:key: value`, or YAML between rules, go before the body. */
function directiveOf(code: Code): Directive | undefined {
  const name = FENCE.exec(code.lang ?? "")?.[1];
  if (name === undefined) return undefined;
  const lines = code.value.split("\n");
  const options = new Map<string, string>();
  let at = 0;
  const yaml = lines[0]?.trim() === "---" ? lines.indexOf("---", 1) : -1;
  if (yaml > 0) at = yaml + 1;
  for (; yaml < 0; at++) {
    const option = /^\s*:([\w-]+):(?:\s+(.*))?$/.exec(lines[at] ?? "");
    if (!option) break;
    options.set(option[1] ?? "", option[2] ?? "");
  }
  for (const line of yaml > 0 ? lines.slice(1, yaml) : []) {
    const option = /^([\w-]+):\s*(.*)$/.exec(line);
    if (option) options.set(option[1] ?? "", option[2] ?? "");
  }
  return {
    name,
    title: (code.meta ?? "").trim(),
    options,
    body: lines.slice(at).join("\n"),
    line: (code.position?.start.line ?? 0) + at,
  };
}

/** `list-table`: a list of rows, each a list of cells. */
function listTable(blocks: readonly RootContent[]): Table | undefined {
  const rows = blocks.find((node) => node.type === "list")?.children ?? [];
  const lineOf = (content: readonly BlockContent[]): PhrasingContent[] =>
    content.flatMap((block) =>
      block.type === "paragraph" ? block.children : [{ type: "text" as const, value: textOf(block) }],
    );
  const made = rows.map((row) =>
    row.children.flatMap((inner) =>
      inner.type === "list" ? inner.children.map((cell) => lineOf(cell.children as BlockContent[])) : [],
    ),
  );
  if (made.every((row) => row.length === 0)) return undefined;
  return {
    type: "table",
    children: made.map((row) => ({
      type: "tableRow",
      children: row.map((children) => ({ type: "tableCell", children })),
    })),
  };
}

/** Text whose roles are what they show. */
function withoutRoles(nodes: PhrasingContent[]): PhrasingContent[] {
  return nodes.flatMap((node, i): PhrasingContent[] => {
    const before = nodes[i - 1];
    const next = nodes[i + 1];
    const nameBefore = before?.type === "text" ? roleAtEnd(before.value) : undefined;
    if (node.type === "inlineCode" && nameBefore && TEXT_ROLE.test(nameBefore)) {
      const titled = /^([\s\S]*?\S)\s*<[^<>]*>$/.exec(node.value);
      return [{ ...node, type: "text", value: titled?.[1] ?? node.value.replace(/^[~!]/, "") }];
    }
    if (node.type === "text" && next?.type === "inlineCode") {
      const role = roleAtEnd(node.value);
      return role ? [{ ...node, value: node.value.slice(0, -role.length - 2) }] : [node];
    }
    if ("children" in node) node.children = withoutRoles(node.children as PhrasingContent[]) as never;
    return [node];
  });
}

function roleAtEnd(text: string): string | undefined {
  const role = /\{([\w:-]{1,40})\}$/.exec(text)?.[1];
  return role && ROLE.test(role) && (TEXT_ROLE.test(role) || KNOWN_ROLE.test(role)) ? role : undefined;
}

export interface MystPage {
  leaveOut: LeaveOut;
  /** A text of the page as blocks. */
  parse(text: string): Promise<RootContent[]>;
}

export class Myst {
  constructor(private readonly page: MystPage) {}

  /** Puts what a reader sees in place of MyST's marks, in a block and below. */
  async resolve(parent: Parents): Promise<void> {
    const made: RootContent[] = [];
    for (const child of parent.children as RootContent[]) made.push(...(await this.child(child)));
    parent.children = made as typeof parent.children;
  }

  private async child(child: RootContent): Promise<RootContent[]> {
    if (child.type === "code") return this.code(child);
    if (child.type === "paragraph") {
      const [only] = child.children;
      const target = child.children.length === 1 && only?.type === "text" && /^\([\w:. -]+\)=\s*$/.test(only.value);
      if (target) return [];
      if (only?.type === "text") only.value = only.value.replace(/^\([\w:. -]+\)=[ \t]*\n/, "");
    }
    if (child.type === "paragraph" || child.type === "heading") child.children = withoutRoles(child.children);
    else if (child.type === "table") {
      for (const row of child.children) for (const cell of row.children) cell.children = withoutRoles(cell.children);
    } else if ("children" in child) await this.resolve(child as Parents);
    return [child];
  }

  private async blocks({ body, line }: Directive): Promise<RootContent[]> {
    const made = await this.page.parse(body);
    shiftLines(made, line);
    return made;
  }

  private async code(code: Code): Promise<RootContent[]> {
    const directive = directiveOf(code);
    if (directive === undefined) return [code];
    const { name, title, options, body } = directive;
    const position = code.position ? { position: code.position } : {};
    const named = (text: string): RootContent[] =>
      text === "" ? [] : [titleParagraph([{ type: "text", value: text }], code)];
    if (CODE.test(name)) return [...named(options.get("caption") ?? ""), { ...code, value: body }];
    if (NAVIGATION.test(name)) {
      this.page.leaveOut("navigation", `${name} ${body}`, code.position?.start.line);
      return [];
    }
    if (name === "math") return [{ type: "code", lang: "latex", value: body, ...position }];
    if (name === "csv-table") {
      const table = csvTable(body, options.get("header"), options.get("delim") ?? ",");
      return [...named(title), ...(table ? [{ ...table, ...position }] : [])];
    }
    if (name === "list-table") {
      const blocks = await this.blocks(directive);
      const table = listTable(blocks);
      return [...named(title), ...(table ? [{ ...table, ...position }] : blocks)];
    }
    if (name === "image") return [];
    if (name === "figure" || name === "grid" || name === "only") return this.blocks(directive);
    if (ADMONITION.test(name)) {
      const kind = name === "seealso" ? "See also" : name.charAt(0).toUpperCase() + name.slice(1);
      // Of an ordinary admonition the words after its name begin its text; of `admonition` they are its title.
      if (name === "admonition") return [...named(title), ...(await this.blocks(directive))];
      const first = title === "" ? [] : await this.page.parse(title);
      return [...named(kind), ...first, ...(await this.blocks(directive))];
    }
    if (SHOWN.test(name)) return [...named(title), ...(await this.blocks(directive))];
    return [code];
  }
}
