import type { Paragraph, PhrasingContent } from "mdast";
import type { RstNode } from "./parse-rst.js";

/** A paragraph that names what the next ones say. */
export const term = (children: PhrasingContent[], node?: RstNode): Paragraph => ({
  type: "paragraph",
  children,
  data: { term: true },
  ...(node ? { position: placeOf(node) } : {}),
});

/** Its lines in the file. */
export const placeOf = ({ source }: RstNode): NonNullable<Paragraph["position"]> => ({
  start: { line: source.startLineIdx + 1, column: 1 },
  end: { line: Math.max(source.startLineIdx + 1, source.endLineIdx), column: 1 },
});
