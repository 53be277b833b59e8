import GithubSlugger from "github-slugger";
import type { Heading, Nodes, Root } from "mdast";
import { toString as textOf } from "mdast-util-to-string";

const ID = /\s*\{:?\s*#([\w:.-]+)(?:\s+[^{}]*)?\}\s*$/;

/** `## Title {#id}`: takes the id out of the title. */
function givenId(heading: Heading): string | undefined {
  const last = heading.children.at(-1);
  if (last?.type !== "text") return undefined;
  const match = ID.exec(last.value);
  if (!match) return undefined;
  last.value = last.value.slice(0, match.index);
  return match[1];
}

/** Gives each heading the id that the published page has for it: the one given, else, if `make`, one of its words as GitHub makes it. */
export function anchorHeadings(root: Root, make: boolean): void {
  const slugger = new GithubSlugger();
  const walk = (node: Nodes): void => {
    if (node.type === "heading") {
      const given = givenId(node);
      const slug = slugger.slug(textOf(node));
      const anchor = given ?? node.data?.anchor ?? (make ? slug : "");
      if (anchor !== "") node.data = { ...node.data, anchor };
      return;
    }
    if ("children" in node && node.type !== "paragraph" && node.type !== "table")
      for (const child of node.children) walk(child);
  };
  walk(root);
}
