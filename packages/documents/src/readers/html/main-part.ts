import type { Element, Root } from "hast";
import { element, elementsOf, hasWord, isElement, roleOf, textOf } from "./element.js";

/** The part of the page that says what the page is about, and whether it names itself so. */
export interface MainPart {
  node: Element;
  named: boolean;
}

/** All that is marked as the main part; the body when nothing is, or nothing is in it. */
export function mainPart(root: Root): MainPart {
  const isMain = (candidate: Element): boolean => roleOf(candidate) === "main";
  const mains = [...elementsOf(root, (candidate) => !isMain(candidate))].filter(isMain);
  const filled = mains.filter((main) => hasWord(textOf(main)));
  if (filled.length > 0)
    return { node: filled.length === 1 ? (filled[0] as Element) : element("div", filled), named: true };
  for (const candidate of elementsOf(root)) if (candidate.tagName === "body") return { node: candidate, named: false };
  return { node: element("div", root.children.filter(isElement)), named: false };
}
