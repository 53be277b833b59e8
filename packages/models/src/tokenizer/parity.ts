import { readCharacterMap } from "./character-map.js";

// Where the JavaScript tokenizer differs from the Python one (found by comparing ids, see scripts/make-tokenizer-fixtures.py),
// the description or the text is rewritten first, or a part is replaced, so that both give the same ids.

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** All components of a normalizer or pre-tokenizer, sequences flattened. */
function components(root: Json | undefined): JsonObject[] {
  if (!isObject(root)) return [];
  const parts = [root.normalizers, root.pretokenizers].filter(Array.isArray).flat();
  return [root, ...parts.flatMap(components)];
}

/** A pre-tokenizer that cuts by a pattern, in the library's terms. */
function splitBy(pattern: string, behavior: "Isolated" | "Removed"): JsonObject {
  return { type: "Split", pattern: { Regex: pattern }, behavior, invert: false };
}

/** What `ByteLevel` cuts by when it is not told otherwise. */
export const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * Components whose classes of characters differ. Rust's `char::is_numeric` takes every numeric character (½, ², ٣), the library's `Digits` only 0
 * to 9; Rust's white space has U+0085, JavaScript's the byte order mark. In a pattern of `Split` the library goes by Rust's classes.
 */
function withUnicodeClasses(component: Json): Json {
  if (!isObject(component)) return component;
  if (Array.isArray(component.pretokenizers)) {
    return { ...component, pretokenizers: component.pretokenizers.map(withUnicodeClasses) };
  }
  if (component.type === "WhitespaceSplit") return splitBy("\\s+", "Removed");
  if (component.type === "Digits") {
    return splitBy(component.individual_digits === true ? "\\p{N}" : "\\p{N}+", "Isolated");
  }
  if (component.type === "ByteLevel" && component.use_regex !== false && component.add_prefix_space === false) {
    return { type: "Sequence", pretokenizers: [splitBy(GPT2_PATTERN, "Isolated"), { ...component, use_regex: false }] };
  }
  return component;
}

/** The description with settings that must not apply removed (truncation, padding) and known differences evened out. */
export function toExactDescription(description: JsonObject): JsonObject {
  return {
    ...description,
    truncation: null,
    padding: null,
    pre_tokenizer: withUnicodeClasses(description.pre_tokenizer ?? null),
  };
}

/** The CJK ranges of BertNormalizer beyond the basic plane, which the library, going by UTF-16 unit, does not see. */
const SUPPLEMENTARY_CJK =
  /[\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B820}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;

/** What is done to a text before the library sees it. */
export function textPreparation(description: JsonObject): (text: string) => string {
  const normalizers = components(description.normalizer);
  // JavaScript lower-cases a word-final capital sigma to ς, Rust (one character at a time) always to σ.
  const lowercases = normalizers.some(
    (part) => part.type === "Lowercase" || (part.type === "BertNormalizer" && part.lowercase !== false),
  );
  const spacesCjk = normalizers.some((part) => part.type === "BertNormalizer" && part.handle_chinese_chars !== false);
  return (text) => {
    const lower = lowercases ? text.replaceAll("Σ", "σ") : text;
    return spacesCjk ? lower.replace(SUPPLEMENTARY_CJK, " $& ") : lower;
  };
}

/** A normalizer of the library, as far as it is looked into here. */
interface LibraryNormalizer {
  config: { type: string; precompiled_charsmap?: unknown };
  normalizers?: (LibraryNormalizer | null)[];
  normalize(text: string): string;
}

/** Has SentencePiece's character maps applied as they stand in the file: the library takes each for NFKC. */
export function useCharacterMaps(normalizer: LibraryNormalizer | null): void {
  normalizer?.normalizers?.forEach(useCharacterMaps);
  if (normalizer?.config.type === "Precompiled") {
    normalizer.normalize = readCharacterMap(String(normalizer.config.precompiled_charsmap));
  }
}
