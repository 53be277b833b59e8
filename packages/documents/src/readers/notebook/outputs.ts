import type { Code } from "mdast";
import type { LeaveOut } from "../reader.js";
import type { Output } from "./notebook-schema.js";

/** Of an output a reader wants to see what it looks like; the rest is a log or a listing. */
const MOST_LINES = 15;
const MOST_CHARACTERS = 2000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences of a terminal begin with one
const TERMINAL = /\u001B\[[0-9;?]*[A-Za-z]/g;
/** What Python prints for something that is shown otherwise: `<matplotlib.figure.Figure at 0x7f…>`, `Figure(640x480)`. */
const STAND_IN = /^\s*(?:<[^<>\n]*(?:\sat\s0x[0-9a-f]+|object|size \S+ with \d+ Axes)[^<>\n]*>|Figure\(\S+\))\s*$/;

function plainText(data: Record<string, unknown>): string {
  const value = data["text/plain"];
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.map(String).join("") : "";
}

/** Lines that a progress bar wrote over are gone on the screen. */
const shown = (text: string): string =>
  text
    .replace(TERMINAL, "")
    .replace(/\r+\n/g, "\n")
    .split("\n")
    .map((line) => line.slice(line.lastIndexOf("\r") + 1).trimEnd())
    .join("\n")
    .replace(/^\n+|\s+$/g, "");

function shorten(text: string, leaveOut: LeaveOut): string {
  const lines = text.split("\n");
  let kept = lines.slice(0, MOST_LINES).join("\n");
  if (kept.length > MOST_CHARACTERS) kept = kept.slice(0, MOST_CHARACTERS);
  if (kept.length === text.length) return text;
  leaveOut("ends of long outputs", text.slice(kept.length));
  return `${kept}\n…`;
}

/** Outputs of a cell as blocks of code: their plain text, the first lines of it. Pictures, HTML and errors are left out. */
export function outputBlocks(outputs: readonly Output[], leaveOut: LeaveOut): Code[] {
  const texts: string[] = [];
  for (const { output_type: type, text, data = {}, ename, evalue } of outputs) {
    if (type === "error" || type === "pyerr") {
      leaveOut("errors in outputs", `${ename ?? ""}: ${evalue ?? ""}`);
      continue;
    }
    const kinds = Object.keys(data).filter((kind) => kind !== "text/plain");
    if (kinds.some((kind) => kind.startsWith("image/"))) leaveOut("images in outputs", "");
    else if (kinds.length > 0) leaveOut("HTML and widgets in outputs", kinds.join(", "));
    const plain = shown(text ?? plainText(data));
    if (plain === "" || (STAND_IN.test(plain) && plain.length < 200)) continue;
    texts.push(plain);
  }
  if (texts.length === 0) return [];
  return [{ type: "code", value: shorten(texts.join("\n"), leaveOut) }];
}
