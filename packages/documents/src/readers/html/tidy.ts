// Takes out of a page what is not its text: by role and structure, so that it holds for generators that nobody here has seen.
import type { Element, ElementContent, ElementData, Parents } from "hast";
import type { LeaveOut } from "../reader.js";
import { codeLanguage } from "./code-language.js";
import {
  attribute,
  type Child,
  element,
  elementsOf,
  find,
  HEADING,
  hasWord,
  isElement,
  linkShare,
  roleOf,
  textOf,
} from "./element.js";
import { isHidden } from "./hidden.js";
import { isSettings } from "./settings.js";

export interface TidyOptions {
  leaveOut: LeaveOut;
  /** The page names its main part, and this is it: what frames a site is outside. */
  named: boolean;
  controlled: ReadonlySet<string>;
}

const NO_TEXT: Readonly<Record<string, string>> = {
  script: "scripts and styles",
  style: "scripts and styles",
  link: "scripts and styles",
  meta: "scripts and styles",
  template: "scripts and styles",
  noscript: "texts for browsers without scripts",
  iframe: "pages within the page, media",
  object: "pages within the page, media",
  embed: "pages within the page, media",
  video: "pages within the page, media",
  audio: "pages within the page, media",
  canvas: "pages within the page, media",
  head: "heads",
};

const BY_ROLE: Readonly<Record<string, string>> = {
  navigation: "navigation",
  "doc-toc": "tables of contents",
  search: "search fields",
  banner: "headers and footers of the site",
  contentinfo: "headers and footers of the site",
  dialog: "dialogs",
  alertdialog: "dialogs",
  menu: "menus",
  menubar: "menus",
  toolbar: "menus",
  progressbar: "menus",
  tooltip: "menus",
};

/** What makes a `header` or `footer` that of a part rather than of the page (HTML Accessibility API Mappings). */
const PARTS = new Set(["article", "aside", "main", "nav", "section"]);
const LEAST_LINKS = 3;

/** An address that opens the page's source to change it, or shows its history. */
const SOURCE_ADDRESS =
  /\/(?:-\/)?(?:edit|_edit|blame|commits)\/|\/(?:-\/)?(?:blob|tree|src)\/.+\.(?:mdx?|rst|adoc|ipynb|txt|html?)(?:[?#]|$)|(?:^|\/)_sources?\//;
/** What says of the word before it that it is optional, new, constant. */
const BADGE = /(?:^|[\s_-])(?:tag|label|pill|chip)(?:$|[\s_-])|badge/i;
/** The button of a list of contents that scripts make (Docusaurus on a telephone). */
const OPENS_CONTENTS = /(?:^|[\s_-])toc(?:$|[\s_A-Z-])/;

/** A link that says so need not stand alone: rustdoc has one beside each version. */
const SOURCE_TEXT = /^\W*(?:view )?(?:source|src)\W*$/i;

class Tidy {
  private readonly ancestors: Element[] = [];
  /** Formulas are there twice: once for the eye, once as MathML, which is what can be read as text. These hold both. */
  private readonly formulas = new Set<Element>();
  /** Text and links of the whole page, when they were asked for. */
  private whole: ReturnType<typeof linkShare> | undefined;
  /** Words of headings by their ids, when they were asked for. */
  private headings: Map<string, string> | undefined;

  constructor(
    private readonly root: Element,
    private readonly options: TidyOptions,
  ) {}

  private drop(kind: string, node: Parents): void {
    const text = textOf(node).replace(/\s+/g, " ").trim();
    this.options.leaveOut(kind, text, node.position?.start.line);
  }

  /** Keeps of a parent's children what is read. */
  children(parent: Parents): void {
    const kept: Child[] = [];
    for (const child of parent.children) {
      if (child.type === "comment" || child.type === "doctype") continue;
      if (!isElement(child)) {
        if (child.type === "text" && /^[\p{L}\p{N}_$]/u.test(child.value) && this.isBadge(kept.at(-1)))
          kept.push({ type: "text", value: " " });
        kept.push(child);
        continue;
      }
      const replaced = this.replace(child);
      if (replaced !== undefined) {
        kept.push(...replaced);
        continue;
      }
      const kind = this.unread(child);
      if (kind !== undefined) {
        this.drop(kind, child);
        // What parted it from the words before it.
        const before = kept.at(-1);
        if (kind === "links to the page's source" && before?.type === "text")
          kept[kept.length - 1] = { ...before, value: before.value.replace(/\s*[·•|]\s*$/, "") };
        continue;
      }
      this.ancestors.push(child);
      if (child.tagName === "pre")
        child.data = { ...child.data, ...codeLanguage(child, this.ancestors) } as ElementData;
      this.children(child);
      this.ancestors.pop();
      if (this.stickTogether(kept.at(-1), child)) kept.push({ type: "text", value: " " });
      kept.push(child);
    }
    parent.children = kept as typeof parent.children;
  }

  /** Whether nothing but the style sheet sets an element apart from what is before it: two links, a sign before a title, a badge. */
  private stickTogether(before: Child | undefined, node: Element): boolean {
    if (before === undefined || this.inside(({ tagName }) => tagName === "pre" || tagName === "code")) return false;
    if (this.isBadge(node)) return /[\p{L}\p{N}_$)]$/u.test(textOf(before));
    if (this.isBadge(before)) return /^[\p{L}\p{N}_$]/u.test(textOf(node));
    if (!isElement(before) || !hasWord(textOf(node))) return false;
    if (before.tagName === "a" && node.tagName === "a") return hasWord(textOf(before));
    return before.tagName === "span" && /^\p{Extended_Pictographic}\uFE0F?$/u.test(textOf(before).trim());
  }

  private isBadge(node: Child | undefined): boolean {
    return (
      node !== undefined &&
      isElement(node) &&
      /^(?:code|span|small|sup)$/.test(node.tagName) &&
      BADGE.test(attribute(node, "className")) &&
      hasWord(textOf(node)) &&
      !this.inside(({ tagName }) => tagName === "pre" || tagName === "code")
    );
  }

  private inside(test: (element: Element) => boolean): boolean {
    return this.ancestors.some(test);
  }

  /** The kind of what is left out; undefined for what stays. */
  private unread(node: Element): string | undefined {
    const { tagName } = node;
    const noText = NO_TEXT[tagName];
    if (noText !== undefined) return noText;
    if (isHidden(node, this.options.controlled)) return "hidden parts";
    const role = roleOf(node);
    const byRole = BY_ROLE[role];
    if (byRole !== undefined && !this.holdsTitle(node)) return byRole;
    if (role === "complementary" && isMostlyLinks(node)) return "navigation";
    if ((tagName === "header" || tagName === "footer") && role === "") return this.frame(node);
    if (tagName === "a") return this.link(node);
    if (tagName === "button") return this.button(node);
    if (tagName === "select" && !this.inside((outer) => outer.tagName === "form")) return "search fields";
    if (this.isBesideText() && isSettings(node)) return "settings";
    if (/^breadcrumbs?$/i.test(attribute(node, "ariaLabel"))) return "navigation";
    if (tagName === "ul" || tagName === "ol" || tagName === "details" || isRowOfLinks(node))
      return this.isContents(node) ? "tables of contents" : undefined;
    if (tagName === "td" && isLineNumbers(node)) return "line numbers";
    if (attribute(node, "ariaHidden") === "true" && this.isOrnament(node)) return "ornaments";
    if (this.ancestors.length <= 2 && this.isConsent(node)) return "dialogs";
    if (!this.options.named && this.isSideBar(node)) return "navigation";
    return undefined;
  }

  /** A header of the page that holds its only heading of the first level says what the page is about. */
  private holdsTitle(node: Element): boolean {
    return roleOf(node) === "banner" && find(node, ({ tagName }) => tagName === "h1") !== undefined;
  }

  private frame(node: Element): string | undefined {
    const ofPart = this.options.named || this.inside(({ tagName }) => PARTS.has(tagName));
    if (ofPart) return node.tagName === "footer" && isMostlyLinks(node) ? "navigation" : undefined;
    if (node.tagName === "header" && find(node, ({ tagName }) => tagName === "h1")) return undefined;
    return find(node, (inner) => /^doc-(?:endnotes|footnote)$/.test(attribute(inner, "role")))
      ? undefined
      : "headers and footers of the site";
  }

  private link(node: Element): string | undefined {
    const text = textOf(node);
    const href = attribute(node, "href");
    if (!hasWord(text)) {
      // An image in a link is left to the renderer; a sign alone (¶, #) is for the mouse.
      if (find(node, ({ tagName }) => tagName === "img" || tagName === "svg")) return undefined;
      const isSign = text.trim() === "" ? href !== "" : href.startsWith("#") || !/[!-~]/.test(text.replaceAll("#", ""));
      // A type such as `()` or `&` leads to what is said of it.
      return isSign ? "links to a heading" : undefined;
    }
    const within = this.ancestors.findLast(({ tagName }) => HEADING.test(tagName) || tagName === "dt");
    if (within && href.startsWith("#") && textOf(within).trim() !== text.trim() && isSelfLink(node, within)) {
      return "links to a heading";
    }
    if (SOURCE_TEXT.test(text) && SOURCE_ADDRESS.test(href)) return "links to the page's source";
    const turns = /\b(?:prev|next|edit)\b/.test(attribute(node, "rel"));
    if (!turns && !SOURCE_ADDRESS.test(href)) return undefined;
    if (!this.isAlone(node, text)) return undefined;
    return turns ? "navigation" : "links to the page's source";
  }

  /** Whether nothing else is said in the block around. */
  private isAlone(node: Element, text: string): boolean {
    const block = this.ancestors.findLast(({ tagName }) =>
      /^(?:div|p|li|footer|section|article|header|main|body|td)$/.test(tagName),
    );
    if (block === undefined || node.tagName !== "a") return false;
    let around = 0;
    for (const child of block.children) {
      if (child.type === "text") around += child.value.trim().length;
      else if (isElement(child) && child.tagName !== "a") around += textOf(child).replace(text, "").trim().length;
    }
    return around === 0;
  }

  private button(node: Element): string | undefined {
    const text = textOf(node);
    if (!hasWord(text) || OPENS_CONTENTS.test(attribute(node, "className"))) return "buttons";
    const title = this.ancestors.findLast(({ tagName }) => HEADING.test(tagName) || tagName === "dt");
    // The question of an accordion is a button; beside other words of a heading it does something.
    if (title) return hasWord(textOf(title).replace(text, "")) ? "buttons" : undefined;
    // Beside code: copy, run, wrap lines.
    const frame = this.ancestors.findLast(({ tagName }) => tagName !== "span" && tagName !== "button");
    if (this.inside(({ tagName }) => tagName === "pre")) return "buttons";
    const frames = this.ancestors.slice(-3).filter((outer) => outer.tagName === "div" || outer.tagName === "figure");
    const besideCode = frames.some((outer) => {
      const pre = find(outer, ({ tagName }) => tagName === "pre");
      return pre !== undefined && find(outer, ({ tagName }) => tagName === "p" || HEADING.test(tagName)) === undefined;
    });
    return besideCode && frame !== undefined ? "buttons" : undefined;
  }

  /**
   * A list of links to places of this page that repeats its headings; what folds it is named by a summary. In a row parted by bars a link may
   * lead to a page beside this one (Doxygen's list of all members).
   */
  private isContents(list: Element): boolean {
    const besides = isRowOfLinks(list) && textOf(list).includes("|");
    let links = 0;
    let repeated = 0;
    for (const inner of elementsOf(list)) {
      if (inner.tagName !== "a" || !hasWord(textOf(inner))) continue;
      const href = attribute(inner, "href");
      links++;
      if (besides && /^[^#]+$/.test(href)) continue;
      if (!href.startsWith("#")) return false;
      if (this.headingAt(href.slice(1)) === wordsOf(inner)) repeated++;
    }
    const { text: all, linked } = linkShare(list);
    let text = all;
    for (const inner of elementsOf(list, ({ tagName }) => tagName !== "summary")) {
      if (inner.tagName === "summary") text -= linkShare(inner).text - linkShare(inner).linked;
    }
    return (
      (besides ? repeated > 0 : links >= LEAST_LINKS || (links > 1 && repeated === links)) &&
      linked >= text * 0.95 &&
      !this.inside(({ tagName }) => tagName === "dd" || tagName === "td")
    );
  }

  /** Words of the heading with this id. */
  private headingAt(id: string): string | undefined {
    this.headings ??= new Map(
      elementsOf(this.root)
        .filter(({ tagName }) => HEADING.test(tagName))
        .flatMap((heading) =>
          // Its id, or that of an empty link within.
          [heading, ...elementsOf(heading)].map((named): [string, string] => [
            attribute(named, "id") || attribute(named, "name"),
            wordsOf(heading),
          ]),
        ),
    );
    return this.headings.get(id);
  }

  private isOrnament(node: Element): boolean {
    const text = textOf(node).trim();
    if (!hasWord(text)) return true;
    if (/icon/i.test(attribute(node, "className"))) return true;
    const parent = this.ancestors.at(-1);
    return parent !== undefined && this.formulas.has(parent);
  }

  private isConsent(node: Element): boolean {
    const names = `${attribute(node, "id")} ${attribute(node, "className")} ${attribute(node, "ariaLabel")}`;
    return (
      /(?:^|[\s_-])(?:cookies?|consent|gdpr)(?:$|[\s_-])/i.test(names) &&
      /^(?:div|section|aside|form)$/.test(node.tagName) &&
      find(node, ({ tagName }) => tagName === "button" || tagName === "a" || tagName === "input") !== undefined
    );
  }

  /** Outside of a named main part, not deep in the page (so that looking into each block is linear) and not in a form. */
  private isBesideText(): boolean {
    return !this.options.named && this.ancestors.length <= 6 && !this.inside(({ tagName }) => tagName === "form");
  }

  /** A part with a heading of its own that follows the title of the page, in the same element: what a class extends, and what extends it. */
  private isBelowTitle(node: Element): boolean {
    const elements = (this.ancestors.at(-1)?.children ?? []).filter(isElement);
    const title = elements.findIndex(
      ({ tagName, children }) => tagName === "h1" || children.filter(isElement).at(-1)?.tagName === "h1",
    );
    const first = node.children.find(isElement);
    return title >= 0 && elements.indexOf(node) > title && /^h[2-6]$/.test(first?.tagName ?? "");
  }

  /** Outside of a named main part: a block of links beside the text. */
  private isSideBar(node: Element): boolean {
    if (!/^(?:div|ul|ol|section|table|aside)$/.test(node.tagName)) return false;
    if (this.ancestors.length > 4 || this.isBelowTitle(node)) return false;
    const { text, linked, links } = linkShare(node);
    if (links < 2 * LEAST_LINKS || linked < text * 0.9) return false;
    this.whole ??= linkShare(this.root);
    const { whole } = this;
    // Of a page that is a list of links, the list is the text.
    return whole.text - whole.linked > linked;
  }

  /** What takes the place of an element; undefined when nothing does. */
  private replace(node: Element): ElementContent[] | undefined {
    switch (node.tagName) {
      case "svg":
        return this.drawing(node);
      case "math":
        for (const around of this.ancestors.slice(-3)) this.formulas.add(around);
        return formula(node);
      case "sup":
        return noteMark(node);
      case "div":
        return this.lines(node);
      default:
        return roleOf(node) === "tablist" ? this.tabs(node) : undefined;
    }
  }

  /** Code whose lines are blocks of their own, as Doxygen writes it, with or without numbers before them. */
  private lines(block: Element): ElementContent[] | undefined {
    const shown = block.children.filter(
      (child) => isElement(child) && !isHidden(child, this.options.controlled),
    ) as Element[];
    const isLine = (child: Element): boolean => child.tagName === "div" && attribute(child, "className") === "line";
    if (shown.length === 0 || !shown.every(isLine)) return undefined;
    const value = shown.map((line) => lineOf(line).trimEnd()).join("\n");
    return [element("pre", [{ type: "text", value }], block)];
  }

  /** Labels of a drawing are read; its title and its shapes are not. */
  private drawing(svg: Element): ElementContent[] {
    const labels = [...elementsOf(svg, ({ tagName }) => tagName !== "text" && tagName !== "foreignObject")]
      .filter(({ tagName }) => tagName === "text" || tagName === "foreignObject")
      .map((label) => textOf(label).replace(/\s+/g, " ").trim())
      .filter(hasWord);
    if (labels.length > 0) return [element("span", [{ type: "text", value: ` ${labels.join(", ")} ` }], svg)];
    this.options.leaveOut("images", "", svg.position?.start.line);
    return [];
  }

  /** Each tab's label is put before its panel, so that what is said of one system is not taken for another's. */
  private tabs(list: Element): ElementContent[] | undefined {
    const scope = this.ancestors.at(-1);
    const labels = [...elementsOf(list)].filter((inner) => roleOf(inner) === "tab");
    if (scope === undefined || labels.length === 0) return undefined;
    const panels = [...elementsOf(scope, (inner) => roleOf(inner) !== "tabpanel")].filter(
      (inner) => roleOf(inner) === "tabpanel",
    );
    if (panels.length !== labels.length) return undefined;
    panels.forEach((panel, i) => {
      const label = textOf(labels[i] as Element)
        .replace(/\s+/g, " ")
        .trim();
      if (label !== "")
        panel.children.unshift({
          ...element("p", [{ type: "text", value: label }], panel),
          data: { term: true } as ElementData,
        });
    });
    return [];
  }
}

/** A line of code without its number, which is an element of its own at its beginning. */
function lineOf(line: Element): string {
  const number = line.children.find((child) => isElement(child) && /^\s*\d+\s?$/.test(textOf(child)));
  const isFirst = (child: Child): boolean => child === number || textOf(child) === "";
  const from = line.children.findIndex((child) => !isFirst(child));
  return number && isElement(number) && /lineno/.test(attribute(number, "className"))
    ? (from < 0 ? [] : line.children.slice(from)).map(textOf).join("")
    : textOf(line);
}

const wordsOf = (node: Element): string => (textOf(node).match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).join(" ");

/** MathML as the formula that it was made of, when it holds that, else as its signs. */
function formula(math: Element): ElementContent[] {
  const source = find(math, (inner) => inner.tagName === "annotation" && /tex/i.test(attribute(inner, "encoding")));
  const value = source ? `$${textOf(source).trim()}$` : textOf(math).replace(/\s+/g, " ").trim();
  return [{ type: "text", value }];
}

/** A raised number that leads to a note stands apart from the word before it. */
function noteMark(sup: Element): ElementContent[] | undefined {
  const text = textOf(sup).trim();
  const leads = find(sup, (inner) => inner.tagName === "a" && attribute(inner, "href").startsWith("#"));
  return leads && /^\d{1,4}$/.test(text) ? [{ type: "text", value: `[${text}]` }] : undefined;
}

/** A block of nothing but links, and bars between them. */
function isRowOfLinks({ tagName, children }: Element): boolean {
  return (
    tagName === "div" &&
    children.every((child) =>
      isElement(child) ? child.tagName === "a" : child.type !== "text" || /^[\s|]*$/.test(child.value),
    )
  );
}

/** Numbers of lines beside code: a cell with nothing but numbers that count up. */
function isLineNumbers(cell: Element): boolean {
  const numbers = textOf(cell).trim().split(/\s+/);
  if (find(cell, ({ tagName }) => tagName === "pre" || tagName === "code" || tagName === "span") === undefined)
    return false;
  return (
    (numbers.length > 1 || /linenos?\b|line-?numbers?\b|gutter/i.test(attribute(cell, "className"))) &&
    numbers.every((number, i) => /^\d+$/.test(number) && (i === 0 || Number(number) === Number(numbers[i - 1]) + 1))
  );
}

function isSelfLink(link: Element, heading: Element): boolean {
  const id = attribute(link, "href").slice(1);
  const own = attribute(heading, "id");
  const label = `${attribute(link, "ariaLabel")} ${attribute(link, "title")}`;
  return own === id && label.trim() !== "" && textOf(link).trim().length <= 2;
}

function isMostlyLinks(node: Element): boolean {
  const { text, linked, links } = linkShare(node);
  return links >= LEAST_LINKS && linked >= text * 0.8;
}

/** Takes out what is not read, below `root`. */
export function tidy(root: Element, options: TidyOptions): void {
  new Tidy(root, options).children(root);
}
