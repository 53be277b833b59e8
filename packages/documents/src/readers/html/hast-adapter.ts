// parse5 builds the tree that we walk (hast) by itself: a tree of its own and a copy of it took two thirds of the time of a page. Of
// places in the source, lines are kept: where an element begins and where it ends.
import type { Comment, Doctype, Element, Properties, Root, RootContent, Text } from "hast";
import type { Token, TreeAdapter, TreeAdapterTypeMap } from "parse5";
import type { Position } from "unist";

type Parent = (Root | Element) & Kept;
type Child = (Element | Text | Comment | Doctype) & Kept;
type Node = Parent | Child;

/** What the parser asks for again. */
interface Kept {
  parent?: Parent | undefined;
  attributes?: Token.Attribute[];
  namespace?: string;
  mode?: string;
}

export type HastMap = TreeAdapterTypeMap<
  Node,
  Parent,
  Child,
  Root & Kept,
  Root & Kept,
  Element & Kept,
  Comment & Kept,
  Text & Kept,
  Element & Kept,
  Doctype & Kept
>;

/** Attributes whose property is spelt otherwise, beyond `data-` and `aria-`. */
const SPELT: Readonly<Record<string, string>> = { class: "className", colspan: "colSpan", rowspan: "rowSpan" };

function propertyName(attribute: string): string {
  const spelt = SPELT[attribute];
  if (spelt !== undefined) return spelt;
  if (!attribute.includes("-")) return attribute;
  return attribute.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function propertiesOf(attributes: readonly Token.Attribute[]): Properties {
  const properties: Properties = {};
  for (const { name, value } of attributes) {
    if (name === "class") properties.className = value.split(/\s+/).filter((one) => one !== "");
    else properties[propertyName(name)] = value === "" && (name === "hidden" || name === "checked") ? true : value;
  }
  return properties;
}

function put(parent: Parent, node: Child, at: number): void {
  (parent.children as RootContent[]).splice(at, 0, node);
  node.parent = parent;
}

const places = (from: number, to: number): Position => ({
  start: { line: from, column: 1 },
  end: { line: to, column: 1 },
});

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

function putText(
  parent: Parent,
  value: string,
  line: number,
  before: Child | undefined,
  after: Child | undefined,
): void {
  if (before?.type === "text") {
    before.value += value;
    if (before.position) before.position.end.line = line;
    return;
  }
  const text: Text & Kept = { type: "text", value, parent, position: places(line - newlines(value), line) };
  if (after === undefined) (parent.children as RootContent[]).push(text);
  else put(parent, text, parent.children.indexOf(after as never));
}

const root = (): Root & Kept => ({ type: "root", children: [] });

/** @param line - the line that the parser is at */
export const hastAdapter = (line: () => number): TreeAdapter<HastMap> => ({
  createDocument: root,
  createDocumentFragment: root,
  createElement: (tagName, namespace, attributes) => ({
    type: "element",
    tagName,
    properties: propertiesOf(attributes),
    children: [],
    attributes,
    namespace,
    position: places(line(), line()),
  }),
  onItemPop(item) {
    if (item.position) item.position.end.line = line();
  },
  createCommentNode: (value) => ({ type: "comment", value }),
  createTextNode: (value) => ({ type: "text", value }),
  adoptAttributes(element, attributes) {
    const known = new Set(element.attributes?.map(({ name }) => name));
    const added = attributes.filter(({ name }) => !known.has(name));
    element.attributes?.push(...added);
    Object.assign(element.properties, propertiesOf(added));
  },
  appendChild(parent, node) {
    (parent.children as RootContent[]).push(node);
    node.parent = parent;
  },
  insertBefore: (parent, node, reference) => put(parent, node, parent.children.indexOf(reference as never)),
  insertText: (parent, value) => putText(parent, value, line(), parent.children.at(-1) as Child | undefined, undefined),
  insertTextBefore(parent, value, reference) {
    const at = parent.children.indexOf(reference as never);
    putText(parent, value, line(), parent.children[at - 1] as Child | undefined, reference);
  },
  detachNode(node) {
    const at = node.parent?.children.indexOf(node as never) ?? -1;
    if (at >= 0) node.parent?.children.splice(at, 1);
    node.parent = undefined;
  },
  setDocumentMode: (document, mode) => {
    document.mode = mode;
  },
  setDocumentType: (document) => {
    if (!document.children.some(({ type }) => type === "doctype")) document.children.push({ type: "doctype" });
  },
  setTemplateContent: (template, content) => {
    template.content = content;
  },
  setNodeSourceCodeLocation() {},
  updateNodeSourceCodeLocation() {},
  getAttrList: (element) => element.attributes ?? [],
  getChildNodes: (node) => node.children as Child[],
  getFirstChild: (node) => (node.children[0] as Child | undefined) ?? null,
  getParentNode: (node) => node.parent ?? null,
  getTagName: ({ tagName }) => tagName,
  getNamespaceURI: ({ namespace }) => namespace as ReturnType<TreeAdapter["getNamespaceURI"]>,
  getTextNodeContent: ({ value }) => value,
  getCommentNodeContent: ({ value }) => value,
  getDocumentMode: ({ mode }) => (mode ?? "no-quirks") as ReturnType<TreeAdapter["getDocumentMode"]>,
  getDocumentTypeNodeName: () => "html",
  getDocumentTypeNodePublicId: () => "",
  getDocumentTypeNodeSystemId: () => "",
  getTemplateContent: (template) => (template.content ??= root()),
  getNodeSourceCodeLocation: () => undefined,
  isCommentNode: (node): node is Comment & Kept => node.type === "comment",
  isDocumentTypeNode: (node): node is Doctype & Kept => node.type === "doctype",
  isElementNode: (node): node is Element & Kept => node.type === "element",
  isTextNode: (node): node is Text & Kept => node.type === "text",
});
