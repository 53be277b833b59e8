// Own code: write-file-atomic 7 takes a write for whole that was cut short (a limit at 2 MiB left 2 of 3 MiB in place, without an error), writes no
// stream and no folder, and its temporary files cannot be told from others after a kill.
import { constants } from "node:fs";
import { copyFile, link, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { replacedName, temporaryName } from "./temporary-names.js";

/** Waits until the disk has a file, or the names in a folder. */
async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** As `sync`; file systems that cannot do it for a folder (Windows, some over a network) keep names in their own way. */
async function syncNames(folder: string): Promise<void> {
  await sync(folder).catch((error: NodeJS.ErrnoException) => {
    if (!["EPERM", "EACCES", "EISDIR", "EINVAL", "ENOTSUP"].includes(error.code ?? "")) throw error;
  });
}

/** All files and folders in a folder, inner ones first, and the folder itself. */
async function syncFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncFolder(path);
    else if (entry.isFile()) await sync(path);
  }
  await syncNames(folder);
}

/** Gives a temporary its name for good: it is there after a power cut, too. */
async function putInPlace(temporary: string, path: string): Promise<void> {
  await rename(temporary, path);
  await syncNames(dirname(path));
}

/**
 * Writes a file whole or not at all: a temporary file beside it, synced, then renamed over it. The chunks are written as they
 * come, so that a large file need not be in memory twice.
 */
export async function writeChunksAtomic(
  path: string,
  chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, "w");
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await putInPlace(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    // A full disk: what the system says of a write names no file.
    if (error instanceof Error && "code" in error && !("path" in error)) Object.assign(error, { path });
    throw error;
  }
}

/** Writes a file whole or not at all. */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await writeChunksAtomic(path, [data]);
}

/** Copies a file whole or not at all; on file systems that can, the copy takes no space. */
export async function copyFileAtomic(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const temporary = temporaryName(to);
  try {
    await copyFile(from, temporary, constants.COPYFILE_FICLONE);
    await sync(temporary);
    await putInPlace(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Gives a file a second name, whole or not at all, so that it takes no space; a copy where the file system has no links. For files that are only
 * ever replaced, never changed in place.
 */
export async function linkFileAtomic(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const temporary = temporaryName(to);
  try {
    await link(from, temporary);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw error;
    return copyFileAtomic(from, to);
  }
  try {
    await putInPlace(temporary, to);
  } finally {
    // Renaming one name of a file to another of the same leaves both.
    await rm(temporary, { force: true });
  }
}

/** JSON with two spaces and a final newline, written atomically. */
export async function writeJsonAtomic(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Writes a folder whole or not at all: `write` fills a temporary folder beside it, which then takes the place of `path`.
 * An earlier folder at `path` stays until the new one is complete.
 */
export async function writeFolderAtomic(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  const old = replacedName(temporary);
  await mkdir(temporary);
  try {
    await write(temporary);
    await syncFolder(temporary);
    let replaced = false;
    try {
      await rename(path, old);
      replaced = true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    try {
      await rename(temporary, path);
    } catch (error) {
      if (replaced) await rename(old, path);
      throw error;
    }
    await syncNames(dirname(path));
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Removes a folder so that at no moment half of it stands at its place. */
export async function removeFolderAtomic(path: string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await rename(path, temporary);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  await rm(temporary, { recursive: true, force: true });
}
