import type { PhrasingContent } from "mdast";
import type { RstNode } from "./parse-rst.js";

/** What the inline marks of a page refer to. */
export interface References {
  /** `|name|` → its text. */
  substitutions: Map<string, PhrasingContent[]>;
  /** Labels of places (`.. _label:`) → the title of what they mark. */
  titles: Map<string, string>;
  /** Labels of footnotes (`1`, `#`, `#name`, `*`) → what is shown. */
  footnotes: (label: string) => string;
  /** Files taken in so far. */
  included: number;
}

const CODE_ROLE =
  /^(?:(?:py|c|cpp|js|rst|std|ruby|go|rust|php):)?(?:class|func|function|meth|method|mod|module|attr|data|exc|obj|const|macro|member|type|struct|enum|enumerator|var|expr|texpr|literal|code|samp|file|command|option|envvar|program|makevar|keyword|token|dir|role|regexp|confval|setting|djadmin|cmake[\w-]*|command|variable|prop_\w+|module|policy|genex|guide_code)$/i;
const CALLED = /(?:^|:)(?:func|meth|function|method)$/;
const TITLED = /^([\s\S]*?\S)\s*<([^<>]*)>$/;

/** Without backslashes that escape: `\ ` stands between marks and is not seen. */
export const unescaped = (text: string): string =>
  text.replace(/\\(?:\s|(\S))/g, (_, kept: string | undefined) => kept ?? "");

const text = (value: string): PhrasingContent => ({ type: "text", value });

function role(name: string, raw: string, { titles }: References): PhrasingContent {
  const titled = TITLED.exec(raw);
  const target = unescaped(titled?.[2] ?? raw).trim();
  if (titled) {
    const shown = unescaped(titled[1] ?? "");
    return CODE_ROLE.test(name) ? { type: "inlineCode", value: shown } : text(shown);
  }
  if (CODE_ROLE.test(name)) {
    const short = target.startsWith("~")
      ? (target.split(".").at(-1) ?? target).replace(/^~/, "")
      : target.replace(/^[!.]/, "");
    return { type: "inlineCode", value: CALLED.test(name) && !short.endsWith(")") ? `${short}()` : short };
  }
  switch (name.replace(/^std:/, "")) {
    case "ref":
    case "numref":
      return text(titles.get(target.toLowerCase()) ?? target);
    case "pep":
      return text(`PEP ${target}`);
    case "rfc":
      return text(`RFC ${target}`);
    case "emphasis":
    case "title-reference":
    case "title":
    case "t":
      return { type: "emphasis", children: [text(target)] };
    case "strong":
      return { type: "strong", children: [text(target)] };
    case "math":
      return text(raw);
    default:
      return text(target.replace(/^[~!]/, ""));
  }
}

function link(raw: string, { titles }: References): PhrasingContent {
  const titled = TITLED.exec(raw);
  const alone = /^<([^<>]*)>$/.exec(raw);
  const shown = unescaped(titled?.[1] ?? alone?.[1] ?? raw);
  const url = unescaped(titled?.[2] ?? alone?.[1] ?? titles.get(raw.toLowerCase()) ?? "");
  return { type: "link", url, children: [text(shown)] };
}

/** The content of a line. */
export function inlineOf(nodes: readonly RstNode[], references: References): PhrasingContent[] {
  return nodes.flatMap((node): PhrasingContent[] => {
    const raw = node.data.rawText ?? "";
    switch (node.type) {
      case "Text":
        return [text(unescaped(raw))];
      case "InlineLiteral":
        return [{ type: "inlineCode", value: raw }];
      case "Emphasis":
        return [{ type: "emphasis", children: [text(unescaped(raw))] }];
      case "StrongEmphasis":
        return [{ type: "strong", children: [text(unescaped(raw))] }];
      case "InterpretedText":
        return [role(node.data.role ?? "", raw, references)];
      case "HyperlinkRef":
        return [link(raw, references)];
      case "SubstitutionRef":
        return references.substitutions.get(raw.replace(/_+$/, "").toLowerCase()) ?? [text(`|${raw}|`)];
      case "FootnoteRef": {
        const label = references.footnotes(raw);
        return [{ type: "footnoteReference", identifier: label, label }];
      }
      case "CitationRef":
        return [text(`[${raw}]`)];
      default:
        return raw === "" ? inlineOf(node.children, references) : [text(unescaped(raw))];
    }
  });
}

/** The text of a line, without marks. */
export const plainOf = (nodes: readonly RstNode[]): string =>
  nodes
    .map(({ data, children }) => (data.rawText === undefined ? plainOf(children) : unescaped(data.rawText)))
    .join("");
