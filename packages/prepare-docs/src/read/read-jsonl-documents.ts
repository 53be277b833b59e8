import { type DocumentMetadata, readJsonl } from "@rag-ft/core";
import { z } from "zod";
import { firstHeading } from "./first-heading.js";
import { readFrontMatter } from "./front-matter.js";
import type { RawDocument } from "./raw-document.js";

/** Keys under which a row may hold its text, the first that is there counts. The rest of them is text too, so no metadata. */
const TEXT_KEYS = ["text", "full_text", "page_content", "fmt_content"] as const;

const text = z.string().nullish();
const rowSchema = z
  .looseObject({
    text,
    full_text: text,
    page_content: text,
    fmt_content: text,
    source: z.string().min(1).optional(),
    title: z.string().nullish(),
    metadata: z.looseObject({ source: z.string().min(1).optional() }).optional(),
  })
  .refine((row) => TEXT_KEYS.some((key) => key in row), { error: `no text (expected "text")`, path: ["text"] })
  .refine((row) => row.source !== undefined || row.metadata?.source !== undefined, {
    error: "missing (a URL or a name of the page)",
    path: ["source"],
  });

function toRawDocument(row: z.infer<typeof rowSchema>): RawDocument {
  const { metadata: inner = {}, ...outer } = row;
  const kept = Object.fromEntries(
    Object.entries({ ...inner, ...outer }).filter(
      ([key, value]) =>
        !(TEXT_KEYS as readonly string[]).includes(key) && value !== null && value !== undefined && value !== "",
    ),
  );
  const content = TEXT_KEYS.map((key) => row[key]).find((value) => value !== undefined) ?? "";
  const { values, body } = readFrontMatter(content.replace(/\r\n?/g, "\n"));
  const given = [kept.title, values.title].find((title) => typeof title === "string" && title.trim() !== "");
  const title = typeof given === "string" ? given.trim() : firstHeading(body);
  const description = kept.description ?? (typeof values.description === "string" ? values.description : undefined);
  const metadata: DocumentMetadata = {
    ...kept,
    source: row.source ?? row.metadata?.source ?? "",
    ...(title ? { title } : {}),
    ...(description ? { description } : {}),
  };
  return { text: body, metadata };
}

/**
 * Reads pages from JSONL: `text` (or the reference's `full_text`, `page_content`), `source`, and optionally `title`; other
 * keys become metadata. A front matter in the text gives title and description that the row has not.
 *
 * @throws DataError with the line's number for a row without text or source
 */
export async function readJsonlDocuments(path: string): Promise<RawDocument[]> {
  const rows = await readJsonl(path, rowSchema, {
    what: 'documents ("text", "source" and optionally "title")',
    explain: (row) =>
      typeof row === "object" && row !== null && "gold_docs" in row
        ? "This looks like a file of questions or answers; prepare-docs reads the pages they were made from."
        : undefined,
  });
  return rows.map(toRawDocument);
}
