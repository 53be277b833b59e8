// Files that a page takes in: mdBook `{{#include a.md:2:5}}`, VitePress `<<< ./a.js{1-3}` and `<!--@include: ./a.md-->`, Python-Markdown's
// snippets `--8<-- "a.md"`, MyST's `{include}` and `{literalinclude}`. A file that is not there is told of.
import type { Code, Parents, RootContent } from "mdast";
import { toString as textOf } from "mdast-util-to-string";
import type { ReadContext } from "../reader.js";

const MOST_DEPTH = 8;
const MDBOOK = /^\s*(?:\{\{#(?:include|rustdoc_include|playground)\s+([^\s{}]+)(?:\s+[^{}]*)?\}\})\s*$/;
const MDBOOK_LINE = /^([ \t]*)\{\{#(?:include|rustdoc_include|playground)\s+([^\s{}]+)(?:\s+[^{}]*)?\}\}[ \t]*$/gm;
const SNIPPET = /^\s*-{1,}8<-{1,}\s+"([^"\n]+)"\s*$/;
const SNIPPET_LINE = /^([ \t]*)-{1,}8<-{1,}[ \t]+"([^"\n]+)"[ \t]*$/gm;
const VITEPRESS_CODE = /^<<<\s+(\S+?)(?:\{[^}]*\})?(?:\s.*)?$/;
const VITEPRESS_PAGE = /^<!--\s*@include:\s*(\S+?)(?:\{[^}]*\})?\s*-->\s*$/;
const MYST = /^\{(include|literalinclude)\}$/;
/** Marks of parts within a file that is taken in: `ANCHOR: name`, `region name`, `--8<-- [start:name]`. */
const PART_MARK =
  /^.*(?:ANCHOR(?:_END)?:\s*[\w-]+|#?(?:end)?region\b.*|-{1,}8<-{1,}\s+\[(?:start|end)(?::[\w-]+)?\]).*$/;

/** Lines of a file by what comes after its name: `:2:5`, `:name`, `#name`. */
export function partOf(text: string, part: string): string {
  const lines = text.split("\n");
  const range = /^:?(\d*)(?::(\d*))?$/.exec(part);
  let chosen = lines;
  if (part !== "" && range) {
    const from = range[1] ? Number(range[1]) : 1;
    const to =
      range[2] === undefined ? (range[1] ? from : lines.length) : range[2] === "" ? lines.length : Number(range[2]);
    chosen = lines.slice(from - 1, to);
  } else if (part !== "") {
    const name = part.replace(/^[:#]/, "").replace(/[^\w-]/g, "");
    const begins = lines.findIndex((line) => new RegExp(`(?:ANCHOR:|region|\\[start:)\\s*${name}\\b`).test(line));
    const ends = lines.findIndex(
      (line, i) => i > begins && new RegExp(`(?:ANCHOR_END:|end_?region|\\[end:?)\\s*(?:${name}\\b)?`, "i").test(line),
    );
    if (begins >= 0) chosen = lines.slice(begins + 1, ends > begins ? ends : lines.length);
  }
  return chosen
    .filter((line) => !PART_MARK.test(line))
    .join("\n")
    .replace(/\s+$/, "");
}

/** Path and part of a place: `a.rs:2:5` → `a.rs`, `:2:5`. */
function splitPlace(place: string): [string, string] {
  const match = /^([^:#]+)([:#].*)?$/.exec(place.replace(/^@\//, "./"));
  return [match?.[1] ?? place, match?.[2] ?? ""];
}

export type ParseIncluded = (text: string, path: string, depth: number) => Promise<RootContent[]>;

export class Includes {
  constructor(
    private readonly context: Pick<ReadContext, "include" | "warn">,
    private readonly parse: ParseIncluded,
    private readonly base: string | undefined,
    private readonly depth: number,
  ) {}

  private async text(place: string, line: number | undefined): Promise<{ text: string; path: string } | undefined> {
    const [path, part] = splitPlace(place);
    if (this.depth > MOST_DEPTH) {
      this.context.warn(
        `files that take in one another are ${MOST_DEPTH} deep at ${path}; the rest is left out.`,
        line,
      );
      return undefined;
    }
    const file = await this.context.include(path, this.base);
    if (file === undefined) {
      this.context.warn(`takes in ${path}, which is not there; its text is missing.`, line);
      return undefined;
    }
    return { text: partOf(file.text, part), path: file.path };
  }

  private async page(place: string, line: number | undefined): Promise<RootContent[]> {
    const file = await this.text(place, line);
    return file === undefined ? [] : this.parse(file.text, file.path, this.depth + 1);
  }

  private async inCode(code: Code, pattern: RegExp): Promise<void> {
    const line = code.position?.start.line;
    let value = "";
    let from = 0;
    for (const match of code.value.matchAll(pattern)) {
      const file = await this.text(match[2] ?? "", line);
      const indent = match[1] ?? "";
      const text = (file?.text ?? "").split("\n").map((one) => (one === "" ? one : `${indent}${one}`));
      value += code.value.slice(from, match.index) + text.join("\n");
      from = match.index + match[0].length;
    }
    if (from > 0) code.value = value + code.value.slice(from);
  }

  private async code(code: Code): Promise<RootContent[]> {
    const myst = MYST.exec(code.lang ?? "")?.[1];
    if (myst && code.meta) {
      const line = code.position?.start.line;
      if (myst === "include") return this.page(code.meta.trim(), line);
      const file = await this.text(code.meta.trim(), line);
      if (file === undefined) return [];
      const lang = /:language:\s*([\w+#.-]+)/.exec(code.value)?.[1] ?? /\.([A-Za-z0-9]+)$/.exec(file.path)?.[1];
      return [{ ...code, lang: lang ?? null, meta: null, value: file.text }];
    }
    if (code.value.includes("{{#")) await this.inCode(code, MDBOOK_LINE);
    if (code.value.includes("8<")) await this.inCode(code, SNIPPET_LINE);
    return [code];
  }

  /** Puts the files in place of the marks, in a block and below. */
  async resolve(parent: Parents): Promise<void> {
    const made: RootContent[] = [];
    for (const child of parent.children as RootContent[]) made.push(...(await this.child(child)));
    parent.children = made as typeof parent.children;
  }

  private async child(child: RootContent): Promise<RootContent[]> {
    const line = child.position?.start.line;
    if (child.type === "code") return this.code(child);
    if (child.type === "html") {
      const page = VITEPRESS_PAGE.exec(child.value)?.[1];
      return page ? this.page(page, line) : [child];
    }
    if (child.type === "paragraph") {
      const text = child.children.map((inner) => (inner.type === "shortcode" ? inner.value : textOf(inner))).join("");
      const place = MDBOOK.exec(text)?.[1] ?? SNIPPET.exec(text)?.[1];
      if (place) return this.page(place, line);
      const code = VITEPRESS_CODE.exec(text)?.[1];
      if (!code) return [child];
      const file = await this.text(code, line);
      if (file === undefined) return [];
      const lang = /\.([A-Za-z0-9]+)$/.exec(file.path)?.[1];
      return [
        {
          type: "code",
          value: file.text,
          ...(lang ? { lang } : {}),
          ...(child.position ? { position: child.position } : {}),
        },
      ];
    }
    if ("children" in child && child.type !== "heading" && child.type !== "table") await this.resolve(child as Parents);
    return [child];
  }
}
