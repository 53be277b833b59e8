import { basename, extname } from "node:path";
import { asciidoc } from "./asciidoc/index.js";
import { docx } from "./docx/index.js";
import { html } from "./html/index.js";
import { jsonl } from "./jsonl/index.js";
import { markdown } from "./markdown/index.js";
import { notebook } from "./notebook/index.js";
import { pdf } from "./pdf/index.js";
import { plain } from "./plain/index.js";
import type { Reader } from "./reader.js";
import { rst } from "./rst/index.js";

/** The formats that are read: a row each. */
export const READERS: readonly Reader[] = [jsonl, markdown, html, rst, asciidoc, docx, notebook, pdf, plain];

/** The reader for a file by its extension (a page saved from a site may be `page.html?x=1`); undefined when its kind is not read. */
export function readerOf(path: string): Reader | undefined {
  const name = basename(path).toLowerCase();
  const ofExtension = (extension: string): Reader | undefined =>
    READERS.find(({ extensions }) => extensions.includes(extension));
  return ofExtension(extname(name)) ?? ofExtension(extname(name.split("?", 1)[0] ?? ""));
}
