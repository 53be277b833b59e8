import type { PhrasingContent, Text } from "mdast";

/** The lines of a paragraph: at each break of the source the inline content is cut. */
export function linesOfParagraph(children: readonly PhrasingContent[]): PhrasingContent[][] {
  const lines: PhrasingContent[][] = [[]];
  for (const child of children) {
    if (child.type !== "text" || !child.value.includes("\n")) {
      lines.at(-1)?.push(child);
      if (child.type === "break") lines.push([]);
      continue;
    }
    child.value.split("\n").forEach((value, i) => {
      if (i > 0) lines.push([]);
      if (value !== "") lines.at(-1)?.push({ ...child, value } as Text);
    });
  }
  return lines;
}

/** Lines as inline content again. */
export function joinLines(lines: readonly (readonly PhrasingContent[])[]): PhrasingContent[] {
  const joined: PhrasingContent[] = [];
  lines.forEach((line, i) => {
    const before = joined.at(-1);
    if (i > 0 && before?.type !== "break") joined.push({ type: "text", value: "\n" });
    joined.push(...line);
  });
  return joined;
}

/** The text at the start of a line; empty when it does not begin with text. */
export function startOfLine(line: readonly PhrasingContent[]): string {
  const [first] = line;
  return first?.type === "text" ? first.value : "";
}
