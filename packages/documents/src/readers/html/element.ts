import type { Element, ElementContent, Nodes, Parents } from "hast";

export type Child = Parents["children"][number];

export const isElement = (node: Nodes | undefined): node is Element => node?.type === "element";

/** An attribute as text; empty when it is not there. */
export function attribute({ properties }: Element, name: string): string {
  const value = properties[name];
  if (Array.isArray(value)) return value.join(" ");
  return value === undefined || value === null || value === false ? "" : String(value);
}

/** The element's role: as it says, else as its name implies anywhere. */
export function roleOf(element: Element): string {
  const [given] = attribute(element, "role").toLowerCase().split(" ");
  if (given) return given;
  switch (element.tagName) {
    case "nav":
      return "navigation";
    case "main":
    case "dialog":
    case "search":
      return element.tagName;
    case "aside":
      return "complementary";
    default:
      return "";
  }
}

/** All text below a node, as it stands. */
export function textOf(node: Nodes): string {
  if (node.type === "text") return node.value;
  if (!("children" in node)) return "";
  let text = "";
  for (const child of node.children) text += textOf(child);
  return text;
}

/** Whether a text has a letter or a digit. */
export const hasWord = (text: string): boolean => /[\p{L}\p{N}]/u.test(text);

/** Elements below a node, from the outside in, in their order; `into` says whether to look within one. */
export function elementsOf(node: Parents, into: (element: Element) => boolean = () => true): Element[] {
  const elements: Element[] = [];
  const walk = (parent: Parents): void => {
    for (const child of parent.children) {
      if (!isElement(child)) continue;
      elements.push(child);
      if (into(child)) walk(child);
    }
  };
  walk(node);
  return elements;
}

/** The first element below a node that passes a test. */
export function find(node: Parents, test: (element: Element) => boolean): Element | undefined {
  for (const child of node.children) {
    if (!isElement(child)) continue;
    if (test(child)) return child;
    const inner = find(child, test);
    if (inner) return inner;
  }
  return undefined;
}

export const element = (tagName: string, children: ElementContent[], from?: Element): Element => ({
  type: "element",
  tagName,
  properties: {},
  children,
  ...(from?.position ? { position: from.position } : {}),
});

/** How many characters of text a node has, and how many of them are in links; white space does not count. */
export function linkShare(node: Parents): { text: number; linked: number; links: number } {
  const sum = { text: 0, linked: 0, links: 0 };
  const walk = (parent: Parents, inLink: boolean): void => {
    for (const child of parent.children) {
      if (child.type === "text") {
        const length = child.value.replace(/\s+/g, "").length;
        sum.text += length;
        if (inLink) sum.linked += length;
      } else if (isElement(child)) {
        const link = child.tagName === "a" && child.properties.href !== undefined;
        if (link) sum.links++;
        walk(child, inLink || link);
      }
    }
  };
  walk(node, false);
  return sum;
}

export const HEADING = /^h[1-6]$/;
