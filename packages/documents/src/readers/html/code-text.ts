import type { Element } from "hast";
import { attribute, isElement } from "./element.js";

const BLOCK = /^(?:div|p|li|tr|ol|ul|table|tbody)$/;

/** The lines of a block of code: breaks, and elements that each are a line, end one. */
export function codeText(pre: Element): string {
  const parts: string[] = [];
  let endsLine = true;
  const put = (text: string): void => {
    if (text === "") return;
    parts.push(text);
    endsLine = text.endsWith("\n");
  };
  const walk = (node: Element): void => {
    for (const child of node.children) {
      if (child.type === "text") put(child.value);
      else if (!isElement(child)) continue;
      else if (child.tagName === "br") put("\n");
      else {
        const line = BLOCK.test(child.tagName) || /display:\s*(?:block|table-row|flex)/.test(attribute(child, "style"));
        if (line && !endsLine) put("\n");
        const before = parts.length;
        walk(child);
        if (line && (!endsLine || parts.length === before)) put("\n");
      }
    }
  };
  walk(pre);
  return parts.join("").replace(/\r\n?/g, "\n");
}
