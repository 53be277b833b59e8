import { basename, relative, sep } from "node:path";

function posix(path: string): string {
  return path.split(sep).join("/");
}

/**
 * The `source` of a file: below `node_modules` the path from the package's name on (`commander/Readme.md`), else the path
 * within the folder that was given, else the file's name.
 */
export function sourceName(path: string, folder: string | undefined): string {
  const whole = posix(path);
  const marker = "/node_modules/";
  const installed = whole.lastIndexOf(marker);
  if (installed >= 0) return whole.slice(installed + marker.length);
  return folder === undefined ? basename(path) : posix(relative(folder, path));
}
