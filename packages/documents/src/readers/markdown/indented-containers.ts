// Python-Markdown's containers, which CommonMark takes for paragraphs and code: a line `!!! note "Title"` (or `??? …`, `=== "Tab"`) and
// what is indented by four after it. Their content is Markdown, so its lines are parsed again without the indent.
import type { Parents, RootContent } from "mdast";
import { titleParagraph } from "./containers.js";
import { shiftLines } from "./parse-markdown.js";

const MARK = /^(?:!!!|\?\?\?\+?|===[!+]?)\s+(?:([\w-]+(?:\s+[\w-]+)*)\s*)?(?:"([^"]*)")?\s*$/;
const INDENT = 4;

type Parse = (text: string) => Promise<RootContent[]>;

/** Resolves the containers among the children of a block, and in what is below. @param lines - of the whole text */
export async function resolveIndented(parent: Parents, lines: readonly string[], parse: Parse): Promise<void> {
  const made: RootContent[] = [];
  let after = 0;
  for (const child of parent.children as RootContent[]) {
    const position = child.position;
    const from = position?.start.line ?? 0;
    const to = position?.end.line ?? 0;
    if (from <= after && position) {
      if (to <= after) continue;
    }
    if (child.type !== "paragraph" || position === undefined) {
      if ("children" in child && child.type !== "heading" && child.type !== "table")
        await resolveIndented(child as Parents, lines, parse);
      made.push(child);
      continue;
    }
    const column = position.start.column - 1;
    const mark = MARK.exec((lines[from - 1] ?? "").slice(column));
    if (mark === null || (mark[1] === undefined && mark[2] === undefined)) {
      made.push(child);
      continue;
    }
    const title = mark[2] ?? (mark[1] ?? "").split(/\s+/)[0] ?? "";
    if (title !== "") {
      const shown = mark[2] === undefined ? title.charAt(0).toUpperCase() + title.slice(1) : title;
      made.push(titleParagraph([{ type: "text", value: shown }], child));
    }
    const content: string[] = [];
    for (let i = from; i < lines.length; i++) {
      const line = lines[i] ?? "";
      if (line.trim() !== "" && !/^\s*$/.test(line.slice(0, column + INDENT))) break;
      content.push(line.slice(column + INDENT));
    }
    while (content.length > 0 && content.at(-1)?.trim() === "") content.pop();
    after = from + content.length;
    const inner = await parse(content.join("\n"));
    shiftLines(inner, from);
    made.push(...inner);
  }
  parent.children = made as typeof parent.children;
}
