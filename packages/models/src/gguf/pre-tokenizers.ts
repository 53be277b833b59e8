import { GPT2_PATTERN } from "../tokenizer/parity.js";

/** A component of a tokenizer.json. */
export type Component = { type?: unknown; [key: string]: unknown };

const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN2 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const TEKKEN =
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

interface PreTokenizer {
  pre: string;
  cuts: readonly string[];
  ignoreMerges: boolean;
  /** Where llama.cpp's of this name cuts otherwise: found by comparing ids. */
  difference?: string;
}

/** Byte-level tokenizers that llama.cpp has, by its names (`tokenizer.ggml.pre`): what cuts a text, and whether a word that is a token stays whole. */
const KNOWN: readonly PreTokenizer[] = [
  { pre: "gpt-2", cuts: [GPT2_PATTERN], ignoreMerges: false },
  { pre: "smollm", cuts: ["\\p{N}", GPT2_PATTERN], ignoreMerges: false },
  { pre: "qwen2", cuts: [QWEN2], ignoreMerges: false },
  { pre: "llama-bpe", cuts: [LLAMA3], ignoreMerges: true },
  { pre: "smaug-bpe", cuts: [LLAMA3], ignoreMerges: false },
  {
    pre: "tekken",
    cuts: [TEKKEN],
    ignoreMerges: true,
    difference:
      "llama.cpp cuts words at combining marks (Hindi, accents apart from their letters): they have other tokens there.",
  },
];

/** Components, sequences flattened. */
export function flattened(root: unknown): Component[] {
  if (typeof root !== "object" || root === null) return [];
  const component = root as Component;
  const parts = component.pretokenizers ?? component.normalizers;
  return Array.isArray(parts) ? parts.flatMap(flattened) : [component];
}

/** The patterns that a byte-level tokenizer cuts texts by, one after the other; undefined where something else is done. */
function cutsOf(preTokenizer: unknown): string[] | undefined {
  const cuts: string[] = [];
  const components = flattened(preTokenizer);
  if (components.at(-1)?.type !== "ByteLevel") return undefined;
  for (const component of components) {
    const { type, pattern } = component;
    if (type === "ByteLevel" && component.add_prefix_space !== true) {
      if (component.use_regex !== false) cuts.push(GPT2_PATTERN);
    } else if (type === "Digits" && component.individual_digits === true) cuts.push("\\p{N}");
    else if (type === "Split" && component.behavior === "Isolated" && component.invert !== true) {
      cuts.push(String((pattern as { Regex?: unknown } | undefined)?.Regex));
    } else return undefined;
  }
  return cuts;
}

/** llama.cpp's tokenizer of a byte-level one: its name, and where it differs; undefined where there is none like it. */
export function knownPreTokenizer(
  preTokenizer: unknown,
  ignoreMerges: boolean,
): Pick<PreTokenizer, "pre" | "difference"> | undefined {
  const cuts = cutsOf(preTokenizer)?.join("\n");
  return KNOWN.find((row) => row.cuts.join("\n") === cuts && row.ignoreMerges === ignoreMerges);
}

/** The names, for messages. */
export const PRE_TOKENIZERS: readonly string[] = KNOWN.map(({ pre }) => pre);
