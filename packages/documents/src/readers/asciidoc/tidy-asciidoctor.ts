// What asciidoctor writes as tables and brackets for the sake of looks, as what it is.
import type { Element, ElementContent, ElementData } from "hast";
import type { Nodes, Paragraph, Parents, PhrasingContent, Root } from "mdast";
import { attribute, element, elementsOf, type find, isElement } from "../html/element.js";

const classes = (node: Element): string[] => attribute(node, "className").split(/\s+/);
const cellsOf = (node: Element): Element[] =>
  [...elementsOf(node, ({ tagName }) => tagName !== "td")].filter(({ tagName }) => tagName === "td");

/** Admonitions, callouts and definitions side by side are tables of two columns: name and text. */
export function untangleTables(root: Element): void {
  for (const block of [...elementsOf(root)]) {
    const kinds = classes(block);
    if (kinds.includes("admonitionblock")) {
      const [icon, content] = cellsOf(block);
      if (icon === undefined || content === undefined) continue;
      const name = element(
        "p",
        icon.children.flatMap((child) => (isElement(child) ? child.children : [child])),
        icon,
      );
      name.data = { ...name.data, term: true } as ElementData;
      block.children = [name, ...content.children];
    } else if (kinds.includes("hdlist")) {
      const parts = cellsOf(block).map(
        (cell): ElementContent => element(classes(cell).includes("hdlist1") ? "dt" : "dd", cell.children, cell),
      );
      block.children = [element("dl", parts, block)];
    } else if (block.tagName === "div" && kinds.includes("title")) {
      block.tagName = "p";
      block.data = { ...block.data, term: true } as ElementData;
    }
  }
}

const number = (node: Nodes | undefined, kind: "def" | "ref"): string | undefined =>
  node?.type === "link" ? new RegExp(`^#_footnote${kind}_(\\d+)$`).exec(node.url)?.[1] : undefined;

function resolveReferences(parent: Parents): void {
  const children = parent.children as Nodes[];
  children.forEach((child, i) => {
    const label = number(child, "def");
    if (label === undefined) {
      if ("children" in child) resolveReferences(child);
      return;
    }
    const before = children[i - 1];
    const after = children[i + 1];
    if (before?.type === "text") before.value = before.value.replace(/\[$/, "");
    if (after?.type === "text") after.value = after.value.replace(/^\]/, "");
    children[i] = { type: "footnoteReference", identifier: label, label };
  });
}

/** `[1]` that leads to a note is a reference to it, and the notes at the end are definitions. */
export function resolveFootnotes(root: Root): void {
  resolveReferences(root);
  root.children = root.children.map((node) => {
    const label = node.type === "paragraph" ? number(node.children[0], "ref") : undefined;
    if (label === undefined) return node;
    const [, ...rest] = (node as Paragraph).children as PhrasingContent[];
    if (rest[0]?.type === "text") rest[0].value = rest[0].value.replace(/^\.\s+/, "");
    return { type: "footnoteDefinition", identifier: label, label, children: [{ type: "paragraph", children: rest }] };
  });
}

/** Content of the page within an element, as a whole page has it. */
export const bodyOf = (root: Parameters<typeof find>[0]): Element =>
  element(
    "main",
    "children" in root
      ? (root.children.filter((child) => child.type === "text" || isElement(child)) as ElementContent[])
      : [],
  );
