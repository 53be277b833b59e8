// reStructuredText is parsed by rst-compiler: it knows sections, all kinds of lists and tables, and directives with bodies, and of 250
// real files none failed.
import { Apart, ApartError, type ApartTask, addressOf } from "../../apart/apart.js";
import { UnreadableFileError } from "../unreadable-file-error.js";

/** A node as rst-compiler hands it over. */
export interface RstNode {
  type: string;
  data: {
    rawText?: string;
    level?: number;
    role?: string;
    bullet?: string;
    name?: RstNode[];
    term?: RstNode[];
    classifiers?: RstNode[][];
    options?: { name: string; delimiter?: string; rawArgName?: string }[];
    rawLabel?: string;
    rawTarget?: string;
    rawNeedle?: string;
    rawDirective?: string;
    initContent?: RstNode[];
    config?: RstNode | null;
    rawBodyText?: string;
    isHeadRow?: boolean;
    rowSpan?: number;
    colSpan?: number;
  };
  /** Lines from 0; the end is the one after the last. */
  source: { startLineIdx: number; endLineIdx: number };
  children: RstNode[];
}

interface Input {
  text: string;
  indent: number;
  raw: string[];
  compiler: string;
}

const toTree: ApartTask<Input, RstNode> = async ({ text, indent, raw, compiler }, { load, post }) => {
  const { RstToMdCompiler } = (await load(compiler)) as typeof import("rst-compiler");
  const { root } = new RstToMdCompiler().parse(text, {
    disableErrors: true,
    disableWarnings: true,
    parseFirstFieldListAsDocumentMeta: false,
    inputIndentSize: indent,
    directivesWithRawText: raw,
  });
  post(root.toJSON() as unknown as RstNode);
};

const apart = new Apart(toTree, { seconds: 30, megabytes: 1024 });

/** Directives whose body is no reStructuredText. */
const RAW =
  "csv-table parsed-literal productionlist prompt ipython ipython3 testcode testoutput testsetup doctest plot mermaid uml graphviz digraph graph raw program-output command-output literalinclude include highlight tabularcolumns jinja".split(
    " ",
  );

/** A title of one or two letters: the parser takes no underline as short as that. */
const SHORT_TITLE = /((?:^|\n)[ \t]*\n|^)([^\s.:*-][^\s:]?\n)([=~^"'#+-])\3?(?=\n|$)/g;

/** By how much most definitions and quotations are indented: the parser wants one number for a file. */
function indentOf(text: string): number {
  const counts = new Map<number, number>();
  for (const [, indent = ""] of text.matchAll(/^[^\s.:#*+-].*\n( +)(?=\S)/gm)) {
    counts.set(indent.length, (counts.get(indent.length) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? 4;
}

/** The tree of a text. */
export async function parseRst(text: string, run: { path: string; turn(): Promise<void> }): Promise<RstNode> {
  const input = {
    text: text.replace(/\t/g, "        ").replace(SHORT_TITLE, "$1$2$3$3$3$3"),
    indent: indentOf(text),
    raw: RAW,
    compiler: addressOf("rst-compiler"),
  };
  try {
    // To the end, since a thread that is left early is not used again.
    let root: RstNode | undefined;
    for await (const part of apart.run(input, run)) root = part;
    if (root !== undefined) return root;
  } catch (cause) {
    if (!(cause instanceof ApartError)) throw cause;
    throw new UnreadableFileError(
      `${run.path}: not reStructuredText that can be read (${cause.message.split("\n")[0]}).`,
      { cause },
    );
  }
  throw new UnreadableFileError(`${run.path}: reStructuredText without a tree.`);
}
