import { readFile, stat } from "node:fs/promises";
import { UnreadableFileError } from "../readers/unreadable-file-error.js";

/**
 * The bytes of a file.
 *
 * @throws UnreadableFileError when it has more than `most` bytes or cannot be read
 */
export async function readBytes(path: string, most: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > most) {
      const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MB`;
      throw new UnreadableFileError(
        `${path}: ${megabytes(size)}, more than the ${megabytes(most)} that are read. Split the file.`,
      );
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof UnreadableFileError) throw cause;
    throw new UnreadableFileError(`${path}: cannot be read (${(cause as Error).message}).`, { cause });
  }
}
