import { homedir } from "node:os";

/** A path with `~` at its start for the home: shells put it in only where it begins a word, so not in `--flag=~/x` or in YAML. */
export function withHome(path: string): string {
  return path === "~" || path.startsWith("~/") ? `${homedir()}${path.slice(1)}` : path;
}
