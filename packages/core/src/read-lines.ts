import { createReadStream } from "node:fs";
import { DataError } from "./errors.js";

const LINE_FEED = 10;

/**
 * The lines of a UTF-8 file, one after the other, whatever its size. Lines end at `\n` (or `\r\n`) alone: Node's `readline` also ends them at
 * U+2028 and U+2029 from Node 24 on, which stand unescaped in JSON.
 *
 * @param bytes How much of it is read; all when left out.
 * @param chunk How much is read at once.
 * @throws DataError for bytes that are not UTF-8, with the line's number.
 */
export async function* readLines(
  path: string,
  { bytes, chunk: highWaterMark = 1 << 20 }: { bytes?: number; chunk?: number } = {},
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let number = 0;
  const decode = (line: Uint8Array): string => {
    number++;
    try {
      const text = decoder.decode(line);
      return text.endsWith("\r") ? text.slice(0, -1) : text;
    } catch (cause) {
      throw new DataError(`${path}:${number}: not UTF-8. Save the file as UTF-8.`, { cause });
    }
  };
  // The last byte that the stream reads, too, is its `end`.
  const range = bytes === undefined ? {} : { end: bytes - 1 };
  /** Parts of a line that is not over yet. */
  let parts: Uint8Array[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark, ...range }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const last = chunk.subarray(start, end);
      yield decode(parts.length === 0 ? last : Buffer.concat([...parts, last]));
      parts = [];
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
  if (parts.length > 0) yield decode(Buffer.concat(parts));
}
