import { DataError, type Document } from "@rag-ft/core";
import { textKeys } from "../kept/vector-parts.js";

/** A passage as a database keeps it. */
export interface StoredPassage {
  id: number;
  /** Hash of the embedded text: tables of other lists of passages know its vector by it. */
  key: string;
  /** `fmt_content`: what is embedded and searched by words. */
  text: string;
  /** The rest of the passage, as JSON. */
  rest: string;
}

export async function storedPassages(
  places: readonly number[],
  documents: readonly Document[],
): Promise<StoredPassage[]> {
  const keys = await textKeys(documents.map(({ fmt_content }) => fmt_content));
  return documents.map(({ fmt_content, ...rest }, i) => ({
    id: places[i] as number,
    key: keys[i] as string,
    text: fmt_content,
    rest: JSON.stringify(rest),
  }));
}

/** The passage again. @throws DataError where the database holds something else. */
export function restoredPassage(text: string, rest: string, where: string): Document {
  try {
    const { page_content, metadata } = JSON.parse(rest) as Omit<Document, "fmt_content">;
    return { page_content, fmt_content: text, metadata };
  } catch (cause) {
    throw new DataError(
      `${where}: expected a passage as rag-ft wrote it, found ${rest.slice(0, 40)}. Remove the table.`,
      {
        cause,
      },
    );
  }
}
