import { LeftOut } from "../left-out.js";
import { readHtml } from "../readers/html/index.js";
import { readMarkdown } from "../readers/markdown/index.js";
import type { Page, ReadContext } from "../readers/reader.js";
import { type Rendered, render } from "../tree/render.js";
import { withoutWordlessRuns } from "../tree/wordless.js";

/** A page that was read in a test, with all that was said of it. */
export interface TestPage extends Rendered {
  page: Page;
  leftOut: LeftOut;
  warnings: string[];
}

/** Reads a text as a file of this name, without a disk: `files` are those that it may take in. */
export async function readTextPage(name: string, text: string, files: Record<string, string> = {}): Promise<TestPage> {
  const leftOut = new LeftOut(true);
  const warnings: string[] = [];
  const context: ReadContext = {
    leaveOut: leftOut.add,
    warn: (message, line) => warnings.push(line === undefined ? message : `${line}: ${message}`),
    turn: async () => {},
    include: async (path) => {
      const included = files[path.replace(/^\.\//, "")];
      return included === undefined ? undefined : { path, text: included };
    },
  };
  const clean = withoutWordlessRuns(text, leftOut.add);
  const page = /\.html?$/.test(name)
    ? readHtml(clean, name, leftOut.add)
    : await readMarkdown(clean, { path: name, mdx: name.endsWith(".mdx") }, context);
  return { ...render(page.tree, leftOut.add), page, leftOut, warnings };
}
