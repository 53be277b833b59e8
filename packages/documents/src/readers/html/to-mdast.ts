import type { Element, Nodes as HastNodes, Parents as HastParents } from "hast";
import { defaultHandlers, type Handle, type State, toMdast } from "hast-util-to-mdast";
import type {
  BlockContent,
  Code,
  DefinitionContent,
  Heading,
  Paragraph,
  PhrasingContent,
  Root,
  RootContent,
} from "mdast";
import { codeText } from "./code-text.js";
import { attribute, find, isElement, textOf } from "./element.js";

declare module "hast" {
  interface ElementData {
    /** Language of a block of code. */
    lang?: string;
    /** A paragraph that names what the next ones say. */
    term?: boolean;
  }
}

type Flow = BlockContent | DefinitionContent;

const BLOCKS = /^(?:p|div|ul|ol|dl|pre|table|blockquote|section|article|h[1-6]|details|figure)$/;

const flowOf = (state: State, node: HastParents): Flow[] => state.toFlow(state.all(node)) as Flow[];

/** Where to link to for an element: its own id, one within it, or that of the section it opens. */
function anchorOf(node: Element, parent: HastParents | undefined): string | undefined {
  const own = attribute(node, "id") || attribute(node, "name");
  if (own) return own;
  const inner = find(
    node,
    (candidate) =>
      attribute(candidate, "id") !== "" || (candidate.tagName === "a" && attribute(candidate, "name") !== ""),
  );
  if (inner) return attribute(inner, "id") || attribute(inner, "name");
  if (parent?.type !== "element" || !/^(?:section|div|header|summary|article)$/.test(parent.tagName)) return undefined;
  const first = parent.children.find((child) => isElement(child) && textOf(child).trim() !== "");
  return first === node ? attribute(parent, "id") || undefined : undefined;
}

const heading: Handle = (state, node, parent) => {
  const anchor = anchorOf(node, parent);
  const result: Heading = {
    type: "heading",
    depth: Number(node.tagName[1]) as Heading["depth"],
    children: state.all(node) as PhrasingContent[],
    ...(anchor ? { data: { anchor } } : {}),
  };
  state.patch(node, result);
  return result;
};

const code: Handle = (state, node) => {
  const result: Code = { type: "code", value: codeText(node), ...(node.data?.lang ? { lang: node.data.lang } : {}) };
  state.patch(node, result);
  return result;
};

/** A line that names what follows: the term of a definition, the summary of details. */
function term(state: State, node: Element, parent: HastParents | undefined): Flow[] {
  if (find(node, ({ tagName }) => BLOCKS.test(tagName))) return flowOf(state, node);
  const children = state.all(node) as PhrasingContent[];
  const anchor = anchorOf(node, parent);
  const paragraph: Paragraph = { type: "paragraph", children, data: { term: true, ...(anchor ? { anchor } : {}) } };
  state.patch(node, paragraph);
  return [paragraph];
}

const definitions: Handle = (state, node) => {
  const result: Flow[] = [];
  const add = (parent: HastParents): void => {
    for (const child of parent.children) {
      if (!isElement(child)) continue;
      if (child.tagName === "dt") result.push(...term(state, child, undefined));
      else if (child.tagName === "div") add(child);
      else result.push(...flowOf(state, child));
    }
  };
  add(node);
  return result;
};

/** A table with code or tables in its cells is there for the layout: what is in it follows in the order of reading. */
const table: Handle = (state, node) => {
  if (find(node, ({ tagName }) => tagName === "pre" || tagName === "table")) {
    const cells: Flow[] = [];
    const add = (rows: HastParents): void => {
      for (const child of rows.children) {
        if (!isElement(child)) continue;
        if (/^(?:td|th|caption)$/.test(child.tagName)) cells.push(...flowOf(state, child));
        else add(child);
      }
    };
    add(node);
    return cells;
  }
  const caption = node.children.find((child) => isElement(child) && child.tagName === "caption");
  const captions = caption ? flowOf(state, caption as Element) : [];
  const made = defaultHandlers.table(state, node);
  return [...captions, made as Flow];
};

const plain: Handle = (state, node) => state.all(node);

const paragraph: Handle = (state, node, parent) => {
  if (node.data?.term) return term(state, node, parent);
  return defaultHandlers.p(state, node);
};

const nothing: Handle = () => undefined;

const handlers: Record<string, Handle> = {
  h1: heading,
  h2: heading,
  h3: heading,
  h4: heading,
  h5: heading,
  h6: heading,
  pre: code,
  listing: code,
  dl: definitions,
  dt: (state, node, parent) => term(state, node, parent),
  dd: (state, node) => flowOf(state, node),
  summary: (state, node, parent) => term(state, node, parent),
  table,
  p: paragraph,
  caption: plain,
  menu: (state, node) => defaultHandlers.ul(state, node),
  optgroup: plain,
  option: plain,
  select: plain,
  input: nothing,
  textarea: nothing,
  kbd: plain,
  mark: plain,
  u: plain,
  var: plain,
  q: plain,
};

/** The tree of an element's text. White space as a browser shows it; lines of the source are kept. */
export function htmlToMdast(node: HastNodes): Root {
  const made = toMdast(node, { document: true, handlers });
  if (made.type === "root") return made;
  return { type: "root", children: [made as RootContent] };
}
