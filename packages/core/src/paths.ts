import { readFile, stat } from "node:fs/promises";

/** What stands at a path, links followed; undefined when there is nothing that can be looked at, or it is neither. */
export async function pathKind(path: string): Promise<"file" | "folder" | undefined> {
  const info = await stat(path).catch(() => undefined);
  return info?.isDirectory() ? "folder" : info?.isFile() ? "file" : undefined;
}

/** The text of a file; undefined when the file, or a folder on its way, is not there. */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
