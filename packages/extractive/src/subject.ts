import type { Document } from "@rag-ft/core";
import { plainText } from "./passage-blocks.js";

const NOT_A_NAME = /^(readme|index|docs?|home|contents?|overview|introduction|documentation|license|changelog|api)$/i;

const GENERIC_FOLDER =
  /^(docs?|guides?|pages?|content|src|source|articles?|help|wiki|reference|manual|en|www|site|public)$/i;

function fromSource(source: string): string | undefined {
  const installed = [...source.matchAll(/node_modules\/((?:@[^/]+\/)?[^/.][^/]*)/g)].at(-1)?.[1];
  if (installed) return installed;
  const registry = /npmjs\.(?:com|org)\/(?:package\/)?((?:@[^/]+\/)?[^/#?]+)/.exec(source)?.[1];
  if (registry) return registry;
  // `commander/Readme.md`, `@scope/name/docs/page.md`: prepare-docs names installed packages' files so.
  const file = /^((?:@[\w.-]+\/)?[a-z0-9][\w.-]*)\/(?:.*\/)?[^/]+\.(?:md|markdown|html?)$/i.exec(source)?.[1];
  if (file && !GENERIC_FOLDER.test(file)) return file;
  return /^npm:((?:@[^/]+\/)?[^/@#?]+)/.exec(source)?.[1] ?? /github\.com\/[^/]+\/([^/#?]+)/.exec(source)?.[1];
}

/** What the passage is about, as a user would name it: the package, else the page's title; undefined without either. */
export function subjectOf(document: Pick<Document, "metadata">): string | undefined {
  const named = fromSource(document.metadata.source);
  if (named) return named;
  const title = plainText(document.metadata.title ?? "")
    .split(/\s+[-–—|·:]\s+|:\s/)[0]
    ?.replace(/\b(readme|documentation|docs)(\.md)?$/i, "")
    .trim();
  if (
    title &&
    title.split(/\s+/).length <= 5 &&
    !NOT_A_NAME.test(title) &&
    !/^(how|what|why|when|where|who|can|do|does|is|are)\b|\?$/i.test(title)
  )
    return title;
  return undefined;
}
