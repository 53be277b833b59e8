/** A run of prose, with the headings above it (outermost first). */
export interface ProseBlock {
  kind: "paragraph" | "item";
  /** One line, verbatim up to white space, but for links, which are reduced to their text. */
  text: string;
  headings: string[];
  /** Nothing but headings stands between the last heading and this block. */
  first: boolean;
}

/** Links and images as a reader sees them: the text of the one, nothing of the other. */
export function withoutLinks(text: string): string {
  return text
    .replace(/!\[[^\]]*\](\([^)]*\)|\[[^\]]*\])/g, "")
    .replace(/\[((?:[^\][]|\[[^\][]*\])*)\](\([^)]*\)|\[[^\]]*\])/g, "$1")
    .replace(/<(https?:[^>\s]+)>/g, "$1");
}

/** A heading's or a question's words without Markdown: links to their text, no emphasis, no images, no HTML. */
export function plainText(text: string): string {
  return withoutLinks(text)
    .replace(/<[^>]+>/g, "")
    .replace(/\*\*|__|`/g, "")
    .replace(/(^|\s)[*_](\S[^*_]*\S|\S)[*_](?=\W|$)/g, "$1$2")
    .replace(/\\([_*<>[\]#`])/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
}

const LIST_ITEM = /^\s*(?:[-*+•]|\d+[.)])\s+(.*)$/;
const TABLE_ROW = /^\s*\|/;
const SIGNATURE =
  /^[*_(]*(type|default|required|optional|returns?|since|minimum|maximum|stability|values?)\b[^.]{0,60}$/i;
const FENCE = /^\s*(```|~~~)/;
const RULE = /^\s*([-=*_]\s*){3,}$/;

/**
 * Reads Markdown (or plain text) as blocks of prose: code, tables, HTML and front matter are left out. A line that is
 * underlined (`===`, `---`) is a heading, as one with `#`.
 */
export function proseBlocks(markdown: string): ProseBlock[] {
  const blocks: ProseBlock[] = [];
  let headings: { level: number; text: string }[] = [];
  let lines: string[] = [];
  let kind: ProseBlock["kind"] = "paragraph";
  let first = true;
  let fence: string | undefined;

  const flush = (): void => {
    const text = withoutLinks(lines.join(" ")).replace(/\s+/g, " ").trim();
    lines = [];
    if (text !== "") {
      blocks.push({ kind, text, headings: headings.map((heading) => heading.text), first });
      // Lines such as "Type: `string`" stand between an option's heading and its description.
      if (!SIGNATURE.test(text)) first = false;
    }
    kind = "paragraph";
  };
  const openHeading = (level: number, text: string): void => {
    flush();
    headings = [...headings.filter((heading) => heading.level < level), { level, text: plainText(text) }];
    first = true;
  };

  for (const line of markdown.split(/\r?\n/)) {
    const mark = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      if (mark === fence) fence = undefined;
      continue;
    }
    if (mark !== undefined) {
      flush();
      fence = mark;
      continue;
    }
    const heading = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line);
    if (heading) {
      openHeading(heading[1]?.length ?? 1, heading[2] ?? "");
    } else if (/^\s*(=+|-{3,})\s*$/.test(line) && lines.length === 1 && kind === "paragraph") {
      const text = lines[0] ?? "";
      lines = [];
      openHeading(line.trim().startsWith("=") ? 1 : 2, text);
    } else if (line.trim() === "" || RULE.test(line)) {
      flush();
    } else if (TABLE_ROW.test(line) || /^\s*</.test(line) || (/^( {4,}|\t)/.test(line) && lines.length === 0)) {
      flush();
    } else {
      const item = LIST_ITEM.exec(line);
      if (item) {
        flush();
        kind = "item";
      }
      lines.push(item ? (item[1] ?? "") : line.replace(/^\s*>\s?/, ""));
    }
  }
  flush();
  return blocks;
}
