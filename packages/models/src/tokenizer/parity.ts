// Where the JavaScript tokenizer differs from the Python one (found by comparing ids, see scripts/make-tokenizer-fixtures.py),
// the description or the text is rewritten first, so that both give the same ids.

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

/** Rust's `char::is_numeric` takes every numeric character (½, ², ٣); the library's `Digits` only 0 to 9. */
function withUnicodeDigits(component: Json): Json {
  if (!isObject(component)) return component;
  if (Array.isArray(component.pretokenizers)) {
    return { ...component, pretokenizers: component.pretokenizers.map(withUnicodeDigits) };
  }
  if (component.type !== "Digits") return component;
  return {
    type: "Split",
    pattern: { Regex: component.individual_digits === true ? "\\p{N}" : "\\p{N}+" },
    behavior: "Isolated",
    invert: false,
  };
}

/** The description with settings that must not apply removed (truncation, padding) and known differences evened out. */
export function toExactDescription(description: JsonObject): JsonObject {
  return {
    ...description,
    truncation: null,
    padding: null,
    pre_tokenizer: withUnicodeDigits(description.pre_tokenizer ?? null),
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
