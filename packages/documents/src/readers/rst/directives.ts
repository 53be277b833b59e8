// What each directive shows.
import { extname } from "node:path";
import type { Code, Paragraph, PhrasingContent, RootContent, Table } from "mdast";
import type { ReadContext } from "../reader.js";
import { plainOf, type References, unescaped } from "./inline.js";
import type { RstNode } from "./parse-rst.js";
import { placeOf, term } from "./place.js";
import { csvTable, listTable } from "./tables.js";

const ADMONITIONS =
  /^(?:attention|caution|danger|error|hint|important|note|tip|warning|seealso|todo|deprecated-removed)$/;
const VERSIONS: Readonly<Record<string, string>> = {
  versionadded: "Added in version",
  "version-added": "Added in version",
  versionchanged: "Changed in version",
  versionremoved: "Removed in version",
  deprecated: "Deprecated since version",
};
const CODE =
  /^(?:code|code-block|sourcecode|prompt|ipython3?|testcode|testoutput|doctest|parsed-literal|productionlist|math|graphviz|digraph|graph|mermaid|uml|plot|command-output|program-output|jinja)$/;
const NAVIGATION = /^(?:toctree|contents|sectnum|section-numbering|minitoctree|autosummary)$/;
const UNSEEN =
  /^(?:index|meta|highlight|currentmodule|module|py:currentmodule|py:module|default-role|role|tabularcolumns|title|testsetup|testcleanup|class|rst-class|cssclass|target-notes|header|footer|program|default-domain|cmake-module)$/;
/** Filled in by a program that reads the code. */
const MADE =
  /^(?:auto(?!summary)\w+|doxygen\w+|click|argparse|program-output|command-output|automodapi|jsonschema|openapi|inheritance-diagram)$/;
const FLOW =
  /^(?:container|compound|only|ifconfig|topic|sidebar|rubric|epigraph|highlights|pull-quote|centered|hlist|glossary|grid|grid-item|grid-item-card|card|dropdown|details|tabs?|tab-set|tab-item|group-tab|code-tab|figure|table|list-table|admonition)$/;

const MOST_DEPTH = 8;
const MOST_INCLUDES = 200;

const word = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** What a directive needs to know of the page that it is on, and of what reads it. */
export interface DirectivePage {
  readonly lines: readonly string[];
  readonly context: ReadContext;
  /** The included file that the lines are of, and how deep it is taken in. */
  readonly base?: string | undefined;
  readonly depth: number;
  readonly references: References;
  /** Of blocks of code that name none (`highlight`). */
  language: string | undefined;
  lineOf(nodes: readonly RstNode[]): PhrasingContent[];
  flow(nodes: readonly RstNode[]): Promise<RootContent[]>;
  /** Blocks of a file that is taken in, in place of a directive. */
  included(text: string, path: string, at: RstNode): Promise<RootContent[]>;
}

export class Directives {
  constructor(private readonly blocks: DirectivePage) {}

  private option({ data }: RstNode, name: string): string | undefined {
    const item = data.config?.children.find((field) => plainOf(field.data.name ?? []).trim() === name);
    return item ? plainOf(item.children).trim() : undefined;
  }

  /** What stands behind `::`, as it stands there: parsed, it may have lost its asterisks. */
  private argument(node: RstNode): string {
    const first = this.blocks.lines[node.source.startLineIdx] ?? "";
    const at = first.indexOf("::");
    return at < 0 ? "" : first.slice(at + 2).trim();
  }

  /** The argument and the lines below it up to an option or an empty line: signatures of functions. */
  private signatures(node: RstNode): string[] {
    const made = [this.argument(node)];
    for (let i = node.source.startLineIdx + 1; i < node.source.endLineIdx; i++) {
      const line = (this.blocks.lines[i] ?? "").trim();
      if (line === "" || /^:[\w-]+:/.test(line)) break;
      made.push(line);
    }
    return made.filter((line) => line !== "").map((line) => unescaped(line));
  }

  private body(node: RstNode): string {
    return (node.data.rawBodyText ?? "").replace(/^\n+|\s+$/g, "");
  }

  async read(node: RstNode): Promise<RootContent[]> {
    const name = (node.data.rawDirective ?? "").toLowerCase();
    const { leaveOut } = this.blocks.context;
    const line = node.source.startLineIdx + 1;
    if (name === "include" || name === "literalinclude") return this.include(node, name === "literalinclude");
    if (name === "highlight") this.blocks.language = this.argument(node);
    if (MADE.test(name)) leaveOut("directives that a program fills in", `${name} ${this.argument(node)}`, line);
    else if (NAVIGATION.test(name)) leaveOut("navigation", `${name} ${this.body(node)}`, line);
    else if (name === "raw") leaveOut("raw HTML and TeX", this.body(node), line);
    else if (name === "image") return this.image(node);
    else if (UNSEEN.test(name)) leaveOut("directives that show nothing", `${name} ${this.argument(node)}`, line);
    else if (CODE.test(name)) return this.code(node, name);
    else return this.shown(node, name);
    return MADE.test(name)
      ? this.blocks.flow(node.children.filter(({ type }) => type !== "Paragraph" || node.children[0]?.type !== type))
      : [];
  }

  private async shown(node: RstNode, name: string): Promise<RootContent[]> {
    const title = this.argument(node);
    const own = (): Promise<RootContent[]> => this.blocks.flow(node.children);
    const named = async (text: string, children: RootContent[]): Promise<RootContent[]> => [
      term([{ type: "text", value: text }], node),
      ...children,
    ];
    if (ADMONITIONS.test(name)) return named(name === "seealso" ? "See also" : word(name), await own());
    const version = VERSIONS[name];
    if (version) {
      const [number = "", ...rest] = title.split(/\s+/);
      const said = rest.join(" ");
      // A paragraph right below the number comes as one with it.
      const below = node.children[0]?.children[0]?.data;
      if (said === "" && below?.rawText?.startsWith(`${number}\n`))
        below.rawText = below.rawText.slice(number.length).trimStart();
      const children = node.children.filter(
        (child) => plainOf([child]).trim() !== title && plainOf([child]).trim() !== number,
      );
      const text = `${version} ${number}${said || children.length > 0 ? ":" : "."}`;
      // What is said beside the version is the first paragraph, after the number.
      return [
        term(
          [
            {
              type: "text",
              value: said
                ? `${text} ${
                    plainOf([node.children[0] ?? node])
                      .trim()
                      .replace(/^\S+\s*/, "") || said
                  }`
                : text,
            },
          ],
          node,
        ),
        ...(await this.blocks.flow(children.filter((child) => child !== node.children[0] || said === ""))),
      ];
    }
    const line = (nodes: readonly RstNode[]): PhrasingContent[] => this.blocks.lineOf(nodes);
    if (name === "list-table" || name === "csv-table") {
      const table = name === "list-table" ? listTable(node, line) : await this.csvTable(node);
      const caption = title === "" ? [] : [term(line(node.data.initContent ?? []), node)];
      return table ? [...caption, { ...table, position: placeOf(node) }] : caption;
    }
    if (name === "figure") return [...(await this.image(node)), ...(await own())];
    if (
      name === "only" ||
      name === "ifconfig" ||
      name === "container" ||
      name === "compound" ||
      name === "glossary" ||
      name === "hlist" ||
      // Its argument is the number of columns.
      name === "grid"
    ) {
      const [first, ...rest] = node.children;
      const isArgument = first?.type === "Paragraph" && plainOf([first]).trim() === title;
      return this.blocks.flow(isArgument ? rest : node.children);
    }
    const content = node.data.initContent ?? [];
    if (FLOW.test(name)) {
      const [first] = node.children;
      const inChildren =
        title !== "" &&
        first?.type === "Paragraph" &&
        plainOf([first]).trim().startsWith(unescaped(title).slice(0, 20));
      const above = title === "" || inChildren ? [] : [term(line(content), node)];
      const made = [...above, ...(await own())];
      if (inChildren && made[0]?.type === "paragraph") made[0].data = { ...made[0].data, term: true };
      return made;
    }
    return this.described(node);
  }

  /** A table of comma-separated values, of the text or of a file. */
  private async csvTable(node: RstNode): Promise<Table | undefined> {
    const path = this.option(node, "file");
    const rows = path === undefined ? this.body(node) : ((await this.taken(path, node))?.text ?? "");
    const delimiter = this.option(node, "delim") ?? ",";
    return csvTable(
      rows,
      this.option(node, "header"),
      delimiter === "tab" ? "\t" : delimiter === "space" ? " " : delimiter,
    );
  }

  /** A file that a directive takes in; undefined, with a warning, when it is not there or one too many. */
  private async taken(path: string, node: RstNode): Promise<{ path: string; text: string } | undefined> {
    const { context } = this.blocks;
    const at = this.blocks.base === undefined ? node.source.startLineIdx + 1 : undefined;
    if (this.blocks.depth >= MOST_DEPTH || ++this.blocks.references.included > MOST_INCLUDES) {
      context.warn(`files that take in one another are too deep or too many at ${path}; the rest is left out.`, at);
      return undefined;
    }
    const file = await context.include(path, this.blocks.base);
    if (file === undefined) context.warn(`takes in ${path}, which is not there; its text is missing.`, at);
    return file;
  }

  /** A function, an option or another thing that is described: its signature, then what is said of it. Unknown directives too. */
  private async described(node: RstNode): Promise<RootContent[]> {
    const signatures = this.signatures(node);
    const [first, ...rest] = node.children;
    const inChildren = first !== undefined && first.source.startLineIdx === node.source.startLineIdx;
    const names = signatures.map((signature) => term([{ type: "inlineCode", value: signature }], node));
    const body = this.body(node);
    // Of a setting, Sphinx shows these two.
    const said = ["type", "default"].flatMap((name) => {
      const value = this.option(node, name);
      return value === undefined ? [] : [term([{ type: "text", value: `${word(name)}: ${value}` }], node)];
    });
    const raw: Code[] = body === "" ? [] : [{ type: "code", value: body, position: placeOf(node) }];
    return [
      ...names,
      ...said,
      ...(await this.blocks.flow(inChildren ? rest : node.children)),
      ...(node.children.length > 0 ? [] : raw),
    ];
  }

  private image(node: RstNode): Promise<RootContent[]> {
    const alt = this.option(node, "alt") ?? "";
    return Promise.resolve([
      {
        type: "paragraph",
        children: [{ type: "image", url: this.argument(node), alt }],
        position: placeOf(node),
      } satisfies Paragraph,
    ]);
  }

  private code(node: RstNode, name: string): RootContent[] {
    const caption = this.option(node, "caption");
    const given = /^(?:code|code-block|sourcecode)$/.test(name) ? this.argument(node).split(/\s/)[0] : undefined;
    const lang =
      given ||
      {
        math: "latex",
        testcode: "python",
        doctest: "python",
        ipython: "python",
        ipython3: "python",
        mermaid: "mermaid",
      }[name] ||
      this.blocks.language;
    const inLine = /^(?:math|parsed-literal|productionlist)$/.test(name) ? this.argument(node) : "";
    const value = [
      inLine,
      this.body(node) ||
        node.children
          .map((child) => plainOf([child]))
          .filter((text) => text !== inLine)
          .join("\n\n"),
    ]
      .filter((text) => text !== "")
      .join("\n");
    const code: Code = {
      type: "code",
      value,
      ...(lang && !/^(?:none|text|default)$/.test(lang) ? { lang } : {}),
      position: placeOf(node),
    };
    return [...(caption ? [term([{ type: "text", value: caption }], node)] : []), code];
  }

  private async include(node: RstNode, literal: boolean): Promise<RootContent[]> {
    const path = this.argument(node);
    // Files of docutils itself, such as <isonum.txt>, define substitutions only.
    if (/^<.*>$/.test(path)) return [];
    const file = await this.taken(path, node);
    if (file === undefined) return [];
    const part = this.part(file.text, node);
    const code = this.option(node, "code") ?? this.option(node, "language");
    if (literal || code !== undefined || this.option(node, "literal") !== undefined) {
      const lang = code || extname(file.path).slice(1);
      const caption = this.option(node, "caption");
      return [
        ...(caption ? [term([{ type: "text", value: caption }], node)] : []),
        { type: "code", value: part, ...(lang ? { lang } : {}), position: placeOf(node) },
      ];
    }
    return this.blocks.included(part, file.path, node);
  }

  /** Lines that the options of an include choose. */
  private part(text: string, node: RstNode): string {
    const all = text.split("\n");
    const find = (option: string): number => {
      const mark = this.option(node, option);
      return mark === undefined ? -1 : all.findIndex((one) => one.includes(mark));
    };
    const lines = this.option(node, "lines");
    if (lines) {
      const ranges = lines.split(",").map((range) => range.trim().split("-"));
      return all
        .filter((_, i) =>
          ranges.some(
            ([from = "", to = from]) => i + 1 >= Number(from || 1) && i + 1 <= (to === "" ? all.length : Number(to)),
          ),
        )
        .join("\n");
    }
    const after = find("start-after");
    const at = find("start-at");
    const from = after >= 0 ? after + 1 : at >= 0 ? at : Number(this.option(node, "start-line") ?? 0);
    const before = find("end-before");
    const last = find("end-at");
    const to = before > from ? before : last >= from ? last + 1 : Number(this.option(node, "end-line") ?? all.length);
    return all.slice(from, to).join("\n");
  }
}
