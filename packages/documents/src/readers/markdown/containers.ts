// Marks of containers that CommonMark does not know: `::: tip Title` (VitePress, Docusaurus, Pandoc), `> [!NOTE]` (GitHub), attributes
// in braces. The marks go; the title stays, or the kind where a reader sees it as a title.
import type { Paragraph, Parents, PhrasingContent, RootContent } from "mdast";
import { joinLines, linesOfParagraph, startOfLine } from "./paragraph-lines.js";

const CONTAINER = /^\s*:{3,}\s*(\{?\.?([A-Za-z][\w-]*)\}?)?\s*/;
/** Kinds whose name is shown when there is no title. */
const SHOWN =
  /^(?:note|tip|info|hint|important|warning|caution|danger|attention|error|success|example|question|quote|abstract|summary|seealso|details)$/i;
const ALERT = /^\[!([A-Za-z]+)\][+-]?\s*/;
/** Attributes that kramdown, Pandoc and Python-Markdown read: `{: .note }`, `{#id .class}`, `{.python title="x"}`. */
const ATTRIBUTES =
  /^\s*\{:?\s*(?:[#.][\w:-]+|[\w-]+=(?:"[^"]*"|[\w.-]+))(?:\s+(?:[#.][\w:-]+|[\w-]+=(?:"[^"]*"|[\w.-]+))){0,20}\s*\}\s*$/;
/** Where a generator puts the list of headings. */
const CONTENTS = /^\[\[?(?:toc|_toc_)\]?\]$|^\{:toc\}$|^\$\{toc\}$/i;

const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();

/** A line that names what follows it. */
export function titleParagraph(children: PhrasingContent[], like: { position?: Paragraph["position"] }): Paragraph {
  return {
    type: "paragraph",
    children: [{ type: "strong", children }],
    data: { term: true },
    ...(like.position ? { position: like.position } : {}),
  };
}

function withoutStart(line: readonly PhrasingContent[], length: number): PhrasingContent[] {
  const [first, ...rest] = line;
  if (first?.type !== "text") return [...line];
  const value = first.value.slice(length);
  return value === "" ? rest : [{ ...first, value }, ...rest];
}

/** A title given in brackets, or with attributes after it. */
function cleanTitle(title: PhrasingContent[]): PhrasingContent[] {
  const cleaned = title.map((node) => ({ ...node }));
  const [first] = cleaned;
  const last = cleaned.at(-1);
  if (last?.type === "text") last.value = last.value.replace(/\s*\{[^{}]*\}\s*$/, "");
  if (
    first?.type === "text" &&
    last?.type === "text" &&
    first.value.startsWith("[") &&
    last.value.trimEnd().endsWith("]")
  ) {
    last.value = last.value.trimEnd().slice(0, -1);
    first.value = first.value.replace(/^\[/, "");
  }
  if (first?.type === "text") first.value = first.value.replace(/^\{[^{}]*\}\s*/, "");
  return cleaned.filter((node) => node.type !== "text" || node.value !== "");
}

function resolveParagraph(paragraph: Paragraph): RootContent[] {
  const lines = linesOfParagraph(paragraph.children);
  if (!lines.some((line) => /^\s*(?::{3,}|\{|\[|\$\{toc)/i.test(startOfLine(line)))) return [paragraph];
  const made: RootContent[] = [];
  let open: PhrasingContent[][] = [];
  let options = false;
  const close = (): void => {
    if (open.length > 0) made.push({ ...paragraph, children: joinLines(open) });
    open = [];
  };
  for (const line of lines) {
    const start = startOfLine(line);
    // Right below a directive of MyST: how it is shown.
    if (options && /^\s*:[\w-]+:(?:\s|$)/.test(start)) continue;
    options = false;
    const mark = CONTAINER.exec(start);
    if (mark && (mark[2] !== undefined || start.trim().replaceAll(":", "") === "")) {
      close();
      options = mark[1]?.startsWith("{") ?? false;
      const title = mark[1] === "{grid}" ? [] : cleanTitle(withoutStart(line, mark[0].length));
      if (title.length > 0) made.push(titleParagraph(title, paragraph));
      else if (mark[2] && SHOWN.test(mark[2])) {
        made.push(titleParagraph([{ type: "text", value: capitalised(mark[2]) }], paragraph));
      }
      continue;
    }
    const alone = line.length === 1;
    if (alone && (ATTRIBUTES.test(start) || CONTENTS.test(start.trim()))) {
      // Attributes after the last line name the paragraph.
      const id = /#([\w:-]+)/.exec(start)?.[1];
      if (id && ATTRIBUTES.test(start)) paragraph.data = { ...paragraph.data, anchor: id };
      continue;
    }
    open.push(line);
  }
  close();
  return made;
}

/** `> [!NOTE]`: the kind becomes the title. */
function resolveAlert(paragraph: Paragraph): RootContent[] {
  const lines = linesOfParagraph(paragraph.children);
  const [first = [], ...rest] = lines;
  const mark = ALERT.exec(startOfLine(first));
  if (!mark) return [paragraph];
  const title = withoutStart(first, mark[0].length);
  const made: RootContent[] = [
    titleParagraph(title.length > 0 ? title : [{ type: "text", value: capitalised(mark[1] ?? "") }], paragraph),
  ];
  if (rest.length > 0) made.push({ ...paragraph, children: joinLines(rest) });
  return made;
}

/** Resolves the marks of containers in all paragraphs below. */
export function resolveContainers(parent: Parents): void {
  if (!("children" in parent)) return;
  const children: RootContent[] = [];
  for (const [i, child] of (parent.children as RootContent[]).entries()) {
    if (child.type === "paragraph") {
      const resolved = parent.type === "blockquote" && i === 0 ? resolveAlert(child) : [child];
      for (const one of resolved)
        children.push(...(one.type === "paragraph" && one === child ? resolveParagraph(one) : [one]));
      continue;
    }
    if ("children" in child && child.type !== "heading" && child.type !== "table") resolveContainers(child as Parents);
    children.push(child);
  }
  parent.children = children as typeof parent.children;
}
