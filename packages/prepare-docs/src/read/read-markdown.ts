import { cleanMarkdown } from "./clean-markdown.js";
import { firstHeading } from "./first-heading.js";
import { readFrontMatter } from "./front-matter.js";
import type { RawDocument } from "./raw-document.js";

/** A Markdown page. Title: the front matter's, else the first heading. A description there is kept. */
export function readMarkdown(content: string, source: string): RawDocument {
  const { values, body } = readFrontMatter(content);
  const text = cleanMarkdown(body);
  const title =
    typeof values.title === "string" && values.title.trim() !== "" ? values.title.trim() : firstHeading(text);
  const { description } = values;
  return {
    text,
    metadata: {
      source,
      ...(title ? { title } : {}),
      ...(typeof description === "string" && description !== "" ? { description } : {}),
    },
  };
}
