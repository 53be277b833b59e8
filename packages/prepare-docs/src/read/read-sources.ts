import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { hashText } from "@rag-ft/core";
import { READABLE, type SourceFile } from "./find-files.js";
import type { RawDocument } from "./raw-document.js";
import { readHtml } from "./read-html.js";
import { readJsonlDocuments } from "./read-jsonl-documents.js";
import { readMarkdown } from "./read-markdown.js";

/** Pages read, and how many were left out and why. */
export interface ReadSources {
  documents: RawDocument[];
  /** Pages without any text. */
  empty: number;
  /** Files with the same text as an earlier one (a package that is there twice). */
  identical: number;
  /** Files of a package of which a later version is there too. */
  older: number;
}

async function readFileDocument({ path, source }: SourceFile): Promise<RawDocument> {
  const content = (await readFile(path, "utf8")).replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  switch (READABLE[extname(path).toLowerCase()]) {
    case "html":
      return readHtml(content, source);
    case "markdown":
      return readMarkdown(content, source);
    default:
      return { text: content, metadata: { source } };
  }
}

/**
 * Reads all files. Of files with one source below `node_modules` (two versions of a package) the last by path is kept;
 * other files that share a source name take their path, so that no two pages are one source.
 *
 * @param onFile - called with the number of files done
 */
export async function readSources(
  files: readonly SourceFile[],
  onFile: (done: number) => void = () => {},
): Promise<ReadSources> {
  const last = new Map(files.map((file) => [file.source, file]));
  const result: ReadSources = { documents: [], empty: 0, identical: 0, older: 0 };
  const seen = new Set<string>();
  const add = (document: RawDocument): void => {
    if (document.text.trim() === "") result.empty++;
    else result.documents.push(document);
  };
  for (const [i, file] of files.entries()) {
    onFile(i);
    if (READABLE[extname(file.path).toLowerCase()] === "jsonl") {
      for (const document of await readJsonlDocuments(file.path)) add(document);
      continue;
    }
    const shared = last.get(file.source) !== file;
    if (shared && /[\\/]node_modules[\\/]/.test(file.path)) {
      result.older++;
      continue;
    }
    const document = await readFileDocument(shared ? { ...file, source: file.path.replaceAll("\\", "/") } : file);
    const hash = hashText(document.text);
    if (document.text.trim() !== "" && seen.has(hash)) {
      result.identical++;
      continue;
    }
    seen.add(hash);
    add(document);
  }
  onFile(files.length);
  return result;
}
