import type { ReadContext } from "../readers/reader.js";
import { UnreadableFileError } from "../readers/unreadable-file-error.js";
import { withoutWordlessRuns } from "../tree/wordless.js";
import { decodeBytes } from "./decode-bytes.js";
import { readBytes } from "./read-bytes.js";

/** No text that a person wrote is larger; a reader may set less. */
const MOST_BYTES = 128 * 2 ** 20;
/** A file of which more than this share is zeros and other control characters is no text. */
const MOST_CONTROLS = 0.1;
const CONTROLS = /(?![\n\r\t\f\v])\p{Cc}/gu;

export interface ReadTextOptions {
  /** The file may say in its first bytes how it is encoded, as HTML and XML do. */
  declares?: boolean;
  mostBytes?: number;
}

/** Bytes as text of lines that end with `\n`, without a byte order mark, NUL, and inline data and other runs without words. */
export function cleanText(
  bytes: Uint8Array,
  path: string,
  context: Pick<ReadContext, "warn" | "leaveOut">,
  declares = false,
): string {
  const { text, warning } = decodeBytes(bytes, declares);
  if (warning) context.warn(warning.message, warning.line);
  const sample = text.slice(0, 65_536);
  const controls = sample.match(CONTROLS)?.length ?? 0;
  if (controls > sample.length * MOST_CONTROLS) {
    throw new UnreadableFileError(
      `${path}: not a text (${controls} of its first ${sample.length} characters are control characters).`,
    );
  }
  const plain = text
    .replace(/^\uFEFF/, "")
    .replace(/\r\n?/g, "\n")
    .replaceAll("\0", "");
  return withoutWordlessRuns(plain, context.leaveOut);
}

/**
 * The text of a file, decoded and cleaned; `context.warn` says what is wrong with it.
 *
 * @throws UnreadableFileError when it is too large, cannot be read or is no text
 */
export async function readText(
  path: string,
  context: Pick<ReadContext, "warn" | "leaveOut">,
  { declares, mostBytes = MOST_BYTES }: ReadTextOptions = {},
): Promise<string> {
  return cleanText(await readBytes(path, mostBytes), path, context, declares);
}
