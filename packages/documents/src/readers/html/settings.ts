import type { Element } from "hast";
import { attribute, elementsOf, textOf } from "./element.js";

/** What a block of controls does not hold, but a page's text does. */
const TEXT = /^(?:h1|h2|p|pre|table|dl|blockquote|main|article|nav|form)$/;
/** A box to tick and a list to choose from are two. */
const LEAST_CONTROLS = 2;

const length = (text: string): number => text.replace(/\s+/g, "").length;

/**
 * A block of controls beside the text that change how the page is shown (which members are listed, the theme): boxes to tick and at
 * least one list to choose from, and hardly a word but their labels. A list of tasks has no list to choose from, and a form is read.
 */
export function isSettings(block: Element): boolean {
  if (!/^(?:div|details|section|aside|fieldset)$/.test(block.tagName)) return false;
  let lists = 0;
  let controls = 0;
  let labelled = 0;
  for (const inner of elementsOf(block, ({ tagName }) => tagName !== "label" && tagName !== "select")) {
    const { tagName } = inner;
    if (TEXT.test(tagName)) return false;
    if (tagName === "select") lists++;
    if (tagName === "select" || tagName === "label") labelled += length(textOf(inner));
    if (tagName === "label" && [...elementsOf(inner)].some((input) => attribute(input, "type") === "checkbox"))
      controls++;
  }
  return lists > 0 && lists + controls >= LEAST_CONTROLS && labelled * 2 >= length(textOf(block));
}
