import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { UserError } from "./errors.js";

const REASONS: Record<string, string> = {
  EROFS: "the file system is read-only",
  EACCES: "permission denied",
  EPERM: "not permitted",
  ENOTDIR: "a part of the path is a file, where a folder is expected",
};

/**
 * Looks whether files can be made in a folder that may not be there yet, before hours of work for it.
 *
 * @throws UserError naming the folder, the reason, and the setting to change.
 */
export async function requireWritable(folder: string, setting: string): Promise<void> {
  let path = resolve(folder);
  for (;;) {
    try {
      if (!(await stat(path)).isDirectory())
        throw new UserError(`${folder}: ${path} is a file, where a folder is expected. Give ${setting} another path.`);
      await access(path, constants.W_OK);
      return;
    } catch (error) {
      if (error instanceof UserError) throw error;
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" && path !== dirname(path)) path = dirname(path);
      else
        throw new UserError(
          `${folder}: nothing can be written there: ${path}: ${REASONS[code] ?? code}. Give ${setting} another path.`,
          { cause: error },
        );
    }
  }
}
