import type { Root } from "mdast";
import { readText } from "../../bytes/read-text.js";
import type { Reader } from "../reader.js";
import { Blocks } from "./blocks.js";
import { parseRst } from "./parse-rst.js";

const MOST_BYTES = 16 * 2 ** 20;

export const rst: Reader = {
  name: "reStructuredText",
  extensions: [".rst", ".rest"],
  async *read({ path }, context) {
    const text = await readText(path, context, { mostBytes: MOST_BYTES });
    const parsed = await parseRst(text, { path, turn: context.turn });
    const blocks = new Blocks(path, text.split("\n"), context);
    blocks.collect(parsed.children);
    const tree: Root = { type: "root", children: await blocks.flow(parsed.children) };
    yield { tree, metadata: {} };
  },
};
