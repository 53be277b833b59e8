import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pageContext } from "../files/page-context.js";
import { LeftOut } from "../left-out.js";
import { readerOf } from "../readers/registry.js";
import { render } from "../tree/render.js";
import type { TestPage } from "./read-text-page.js";

/** Reads a file of a folder by its extension's reader, from the disk; `files` lie beside it. Warnings are without the folder. */
export async function readFilePages(
  name: string,
  content: string | Uint8Array,
  files: Record<string, string> = {},
): Promise<TestPage[]> {
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-formats-"));
  try {
    for (const [path, text] of Object.entries({ ...files, [name]: content })) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const file = { path: join(folder, name), source: name, folder };
    const leftOut = new LeftOut(true);
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message.replace(`${folder}/`, ""));
    const context = pageContext(file, { leaveOut: leftOut.add, warn, turn: async () => {} });
    const pages: TestPage[] = [];
    for await (const page of readerOf(name)?.read(file, context) ?? []) {
      pages.push({ ...render(page.tree, leftOut.add), page, leftOut, warnings });
    }
    return pages;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The one page of a file. */
export async function readFilePage(...file: Parameters<typeof readFilePages>): Promise<TestPage> {
  const [page] = await readFilePages(...file);
  if (page === undefined) throw new Error(`${file[0]} gave no page`);
  return page;
}
