import { extname } from "node:path";
import { readerOf } from "../readers/registry.js";

const EXTENSIONS: Readonly<Record<string, string>> = {
  "text/html": ".html",
  "application/xhtml+xml": ".xhtml",
  "text/markdown": ".md",
  "text/x-markdown": ".md",
  "application/pdf": ".pdf",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
};

/** Types under which servers send what they know no better name for. */
const VAGUE = new Set(["", "text/plain", "application/octet-stream", "application/json"]);

/**
 * The extension by whose reader a page of this type and address is read; undefined when it is not read. Rows of JSONL are no page of
 * a site: they say themselves where they come from.
 */
export function pageExtension(type: string, address: string): string | undefined {
  const known = EXTENSIONS[type];
  if (known !== undefined || !VAGUE.has(type)) return known;
  const { pathname } = new URL(address);
  const extension = extname(pathname).toLowerCase();
  const reader = readerOf(pathname);
  if (reader !== undefined && reader.name !== "JSONL") return extension;
  return type === "text/plain" && reader === undefined && extension === "" ? ".txt" : undefined;
}
