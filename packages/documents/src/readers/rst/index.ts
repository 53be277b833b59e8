import type { Root } from "mdast";
import { readText } from "../../bytes/read-text.js";
import type { ReadContext, Reader } from "../reader.js";
import { Blocks } from "./blocks.js";
import { readConfPy } from "./conf-py.js";
import { parseRst } from "./parse-rst.js";

const MOST_BYTES = 16 * 2 ** 20;

/** Substitutions that the project defines for all its pages; the page's own come after and count. */
async function collectProject(blocks: Blocks, text: string, context: ReadContext): Promise<void> {
  if (!/\|[^|\s][^|\n]*\|/.test(text)) return;
  const conf = await context.include("/conf.py");
  if (conf === undefined) return;
  const { values, definitions } = readConfPy(conf.text);
  for (const [name, value] of values) blocks.references.substitutions.set(name, [{ type: "text", value }]);
  if (definitions !== "")
    blocks.collect((await parseRst(definitions, { path: conf.path, turn: context.turn })).children);
}

export const rst: Reader = {
  name: "reStructuredText",
  extensions: [".rst", ".rest"],
  async *read({ path }, context) {
    const text = await readText(path, context, { mostBytes: MOST_BYTES });
    const parsed = await parseRst(text, { path, turn: context.turn });
    const blocks = new Blocks(path, text.split("\n"), context);
    await collectProject(blocks, text, context);
    blocks.collect(parsed.children);
    const tree: Root = { type: "root", children: await blocks.flow(parsed.children) };
    yield { tree, metadata: {} };
  },
};
