import { streamJsonl } from "@rag-ft/core";
import { z } from "zod";
import { withoutWordlessRuns } from "../../tree/wordless.js";
import { readHtml } from "../html/index.js";
import { readMarkdown } from "../markdown/index.js";
import { plainTree } from "../plain/index.js";
import type { Page, ReadContext, Reader } from "../reader.js";

/** Keys under which a row may hold its text, the first that is there counts. The rest of them is text too, so no metadata. */
const TEXT_KEYS = ["text", "full_text", "page_content", "fmt_content"] as const;

const text = z.string().nullish();
const place = z.string().min(1).optional();
const rowSchema = z
  .looseObject({
    text,
    full_text: text,
    page_content: text,
    fmt_content: text,
    source: place,
    url: place,
    title: z.string().nullish(),
    metadata: z.looseObject({ source: place, url: place }).optional(),
  })
  .refine((row) => TEXT_KEYS.some((key) => key in row), { error: `no text (expected "text")`, path: ["text"] })
  .refine((row) => sourceOf(row) !== undefined, {
    error: `missing (a URL or a name of the page; "url" will do)`,
    path: ["source"],
  });

type Row = {
  source?: string | undefined;
  url?: string | undefined;
  metadata?: { source?: string | undefined; url?: string | undefined } | undefined;
};

function sourceOf({ source, url, metadata }: Row): string | undefined {
  return source ?? metadata?.source ?? url ?? metadata?.url;
}

/** Marks by which a text is Markdown: headings, fences, links, tables. Prose that has none is read as it stands. */
const MARKDOWN = /^ {0,3}#{1,6}\s\S|^ {0,3}(?:```|~~~)|\]\([^()\s]{1,500}\)|^\s{0,3}\|?\s*:?-{3,}:?\s*\||^---\n/m;
const HTML = /^\s*(?:<!doctype html|<html[\s>]|<(?:head|body|main|article|div|p|h[1-6])[\s>][\s\S]*<\/)/i;

async function readContent(content: string, path: string, context: ReadContext): Promise<Page> {
  const given = withoutWordlessRuns(content.replace(/\r\n?/g, "\n"), context.leaveOut);
  if (HTML.test(given.slice(0, 10_000))) return readHtml(given, path, context.leaveOut);
  if (MARKDOWN.test(given)) return readMarkdown(given, { path, mdx: false, detached: true }, context);
  return { tree: plainTree(given), metadata: {} };
}

async function toPage(row: z.infer<typeof rowSchema>, path: string, context: ReadContext): Promise<Page> {
  const { metadata: inner = {}, ...outer } = row;
  const source = sourceOf(row) ?? "";
  const kept = Object.fromEntries(
    Object.entries({ ...inner, ...outer }).filter(
      ([key, value]) =>
        !(TEXT_KEYS as readonly string[]).includes(key) &&
        value !== null &&
        value !== undefined &&
        value !== "" &&
        !(key === "url" && value === source),
    ),
  );
  const content = TEXT_KEYS.map((key) => row[key]).find((value) => value !== undefined) ?? "";
  const page = await readContent(content ?? "", path, context);
  const { title: given, ...rest } = kept;
  const title = typeof given === "string" && given.trim() !== "" ? given.trim() : page.title;
  return { ...page, ...(title ? { title } : {}), source, metadata: { ...page.metadata, ...rest }, withoutLines: true };
}

/**
 * Pages as rows, of JSONL or of Parquet: `text` (or the reference's `full_text`, `page_content`), `source` or `url`, and optionally `title`; other keys become
 * metadata. A front matter in the text gives title and description that the row has not. A bad row is a `DataError` with its line.
 */
export const jsonl: Reader = {
  name: "JSONL",
  extensions: [".jsonl", ".ndjson", ".parquet"],
  async *read({ path }, context) {
    const rows = streamJsonl(path, rowSchema, {
      what: 'documents ("text", "source" and optionally "title")',
      explain: (row) =>
        typeof row === "object" && row !== null && "gold_docs" in row
          ? "This looks like a file of questions or answers; prepare-docs reads the pages they were made from."
          : undefined,
    });
    for await (const { row } of rows) yield await toPage(row, path, context);
  },
};
