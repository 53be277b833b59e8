// A text from outside may hold the string of a control token: a page about chat formats has `<|im_end|>`. Such a string is marked before it comes
// into a prompt, and a marked one is read as plain text. Prompts without marks take the usual way through the tokenizer.

/** Stands after the first character of a control token's string that is plain text. Two noncharacters, which no text has in this order. */
const MARK = "\uFDD0\uFDD1";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

interface AddedToken {
  content: string;
  special?: unknown;
}

/**
 * The strings that steer a model: special tokens, and of the other added ones those that the chat template writes (`<think>`). What else a
 * tokenizer adds, such as runs of spaces or the tags of HTML, is read in texts as its maker meant.
 */
export function controlTokens(added: readonly AddedToken[], template = ""): string[] {
  return (
    added
      .filter(({ content, special }) => special === true || (/\p{L}/u.test(content) && template.includes(content)))
      .map(({ content }) => content)
      // One of a single character has no inside for a mark.
      .filter((content) => content.trim() !== "" && [...content].length > 1)
  );
}

/** A pattern of these strings, longer ones first; undefined when there are none. */
function anyOf(strings: readonly string[]): RegExp | undefined {
  if (strings.length === 0) return undefined;
  const byLength = [...strings].sort((a, b) => b.length - a.length);
  return new RegExp(byLength.map((text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("|"), "gu");
}

/** A string that stands for a control token where its own is plain text. */
const hidden = (index: number): string => `\uFDD2${index}\uFDD3`;

export interface ControlMarks {
  /** The text with marks in its control tokens, so that they are read as text. */
  mark(text: string): string;
  isMarked(text: string): boolean;
  /** Takes the marks out; control tokens that had none get their hidden names. */
  unmark(text: string): string;
  /** A tokenizer's description that knows control tokens by their hidden names only. */
  hide(description: JsonObject): JsonObject;
}

/** Marks for a tokenizer with these control tokens. */
export function createControlMarks(controls: readonly string[]): ControlMarks {
  const pattern = anyOf(controls);
  const names = new Map(controls.map((token, index) => [token, hidden(index)]));
  const renamed = (text: string): string => names.get(text) ?? text;
  /** Renames in all strings and keys of a part of the description. */
  const rename = (value: Json): Json => {
    if (typeof value === "string") return renamed(value);
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [renamed(key), rename(inner)]));
  };
  return {
    mark(text) {
      let marked = text.replaceAll(MARK, "\uFFFD");
      if (!pattern) return marked;
      // Once more while a token overlaps one that has its mark now.
      for (let before = ""; before !== marked; ) {
        before = marked;
        marked = marked.replace(pattern, (token) => {
          const [first = ""] = token;
          return `${first}${MARK}${token.slice(first.length)}`;
        });
      }
      return marked;
    },
    isMarked: (text) => text.includes(MARK),
    unmark: (text) => (pattern ? text.replace(pattern, renamed) : text).replaceAll(MARK, ""),
    hide({ added_tokens = [], model, post_processor = null, ...others }) {
      const { vocab, unk_token = null, ...rest } = model as JsonObject;
      return {
        ...others,
        added_tokens: rename(added_tokens),
        post_processor: rename(post_processor),
        model: { ...rest, unk_token: rename(unk_token), vocab: rename(vocab ?? null) },
      };
    },
  };
}
