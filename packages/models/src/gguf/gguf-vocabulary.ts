import { join } from "node:path";
import { UserError } from "@rag-ft/core";
import { readChatTemplate } from "../chat/read-chat-template.js";
import {
  readDescription,
  readTokenizerConfig,
  type TokenizerConfig,
  type TokenizerDescription,
} from "../tokenizer/read-description.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { GgufValue } from "./gguf-file.js";
import { flattened, knownPreTokenizer, PRE_TOKENIZERS } from "./pre-tokenizers.js";
import { scoresOf, spacePrefix } from "./sentence-piece.js";
import { specialTokens } from "./special-tokens.js";

/** Kinds of tokens, by llama.cpp's numbers. */
const KIND = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

interface Token {
  text: string;
  kind: number;
  score?: number;
}

/** What GGUF says of a tokenizer, and what llama.cpp does otherwise than it. */
export interface GgufVocabulary {
  metadata: Map<string, GgufValue>;
  warnings: string[];
}

export interface VocabularyOptions {
  /** Rows of the embeddings. */
  size: number;
  tokenizer: Tokenizer;
  /** Ids that end an answer; none for an encoder. */
  eosIds: readonly number[];
}

type Model = TokenizerDescription["model"] & { merges?: unknown; ignore_merges?: unknown; unk_token?: unknown };

/** Why a tokenizer cannot be written. */
function refusal(folder: string, found: string, known: string): UserError {
  return new UserError(
    `${join(folder, "tokenizer.json")}: ${found}, which llama.cpp has no tokenizer for; known: ${known}. Export it as q8 instead.`,
  );
}

/** Tokens by id, as they stand in tokenizer.json; ids without a token are unused. */
function listTokens(folder: string, { model, added_tokens: added }: TokenizerDescription, size: number): Token[] {
  const tokens = Array.from({ length: size }, (_, id): Token => ({ text: `[PAD${id}]`, kind: KIND.unused }));
  for (const [text, id] of Object.entries(model.vocab as Record<string, number>)) {
    if (id < size) tokens[id] = { text, kind: KIND.normal };
  }
  for (const token of added) {
    if (token.id >= size) continue;
    const stripping = ["lstrip", "rstrip", "single_word"].find((key) => token[key] === true);
    if (stripping !== undefined) {
      throw refusal(
        folder,
        `the added token ${JSON.stringify(token.content)} has ${stripping}`,
        "added tokens without",
      );
    }
    tokens[token.id] = { text: token.content, kind: token.special === true ? KIND.control : KIND.userDefined };
  }
  return tokens;
}

function mergesOf({ merges }: Model): [string, string][] {
  if (!Array.isArray(merges)) return [];
  return merges.map((merge: string | [string, string]) =>
    typeof merge === "string" ? (merge.split(" ", 2) as [string, string]) : merge,
  );
}

interface Kind {
  model: string;
  pre: string;
  more: [key: string, value: GgufValue][];
  warnings: string[];
}

/** GPT-2's kind: pieces of texts, as bytes. */
function byteLevel(folder: string, description: TokenizerDescription): Kind {
  const model = description.model as Model;
  const normalizers = flattened(description.normalizer).map(({ type }) => String(type));
  const other = normalizers.find((type) => type !== "NFC");
  if (other !== undefined) throw refusal(folder, `its normalizer is ${other}`, "none or NFC for byte-level BPE");
  const known = knownPreTokenizer(description.pre_tokenizer, model.ignore_merges === true);
  if (known === undefined) {
    throw refusal(
      folder,
      `its pre_tokenizer is ${JSON.stringify(description.pre_tokenizer).slice(0, 300)} with ignore_merges ${model.ignore_merges === true}`,
      `those of ${PRE_TOKENIZERS.join(", ")}, and SentencePiece's`,
    );
  }
  const merges = mergesOf(model).map((pair) => pair.join(" "));
  return {
    model: "gpt2",
    pre: known.pre,
    more: [
      ["tokenizer.ggml.merges", { strings: merges }],
      ["tokenizer.ggml.add_space_prefix", { bool: false }],
    ],
    warnings: [
      ...(normalizers.length > 0
        ? ["llama.cpp does not normalise texts: one that is not in NFC has other tokens there."]
        : []),
      ...(known.difference === undefined ? [] : [known.difference]),
    ],
  };
}

/** SentencePiece's BPE with bytes for what is not in its vocabulary; gives tokens their scores. */
function sentencePiece(folder: string, description: TokenizerDescription, tokens: Token[]): Kind {
  const model = description.model as Model;
  const prefix = spacePrefix(description.normalizer, description.pre_tokenizer);
  if (prefix === undefined) {
    throw refusal(
      folder,
      `its pre_tokenizer is ${JSON.stringify(description.pre_tokenizer)} after the normalizer ${JSON.stringify(description.normalizer)}`,
      "spaces as \u2581 without a split, as in Llama 2, Mistral and Gemma",
    );
  }
  const scores = scoresOf(mergesOf(model));
  if ("problem" in scores) throw refusal(folder, scores.problem, "the merges of a SentencePiece model");
  for (const token of tokens) {
    token.score = scores.get(token.text) ?? 0;
    if (token.kind === KIND.normal && /^<0x[0-9A-F]{2}>$/.test(token.text)) token.kind = KIND.byte;
    if (token.text === model.unk_token) token.kind = KIND.unknown;
  }
  return {
    model: "llama",
    pre: "default",
    more: [
      ["tokenizer.ggml.scores", { f32s: tokens.map(({ score }) => score ?? 0) }],
      ["tokenizer.ggml.add_space_prefix", { bool: prefix === "always" }],
    ],
    warnings:
      prefix === "first"
        ? ["llama.cpp puts no space before a prompt that does not begin with a control token; this tokenizer does."]
        : [],
  };
}

/** BERT's kind; a word's first piece is marked in place of those that follow. */
function wordPiece(folder: string, description: TokenizerDescription, tokens: Token[]): Kind {
  const model = description.model as Model & { continuing_subword_prefix?: unknown };
  const [normalizer, ...others] = flattened(description.normalizer);
  const lowercases = normalizer?.lowercase !== false && normalizer?.strip_accents !== false;
  if (
    others.length > 0 ||
    normalizer?.type !== "BertNormalizer" ||
    !lowercases ||
    model.continuing_subword_prefix !== "##"
  ) {
    throw refusal(
      folder,
      `its normalizer is ${JSON.stringify(description.normalizer)}`,
      "WordPiece with ## and BertNormalizer that lowercases (llama.cpp always does)",
    );
  }
  for (const token of tokens) {
    if (token.kind === KIND.control) continue;
    token.text = token.text.startsWith("##") ? token.text.slice(2) : `\u2581${token.text}`;
  }
  const warnings = [
    "llama.cpp does not take Hangul apart as BertNormalizer does: Korean texts have other tokens there.",
  ];
  return { model: "bert", pre: "default", more: [], warnings };
}

function kindOf(folder: string, description: TokenizerDescription, tokens: Token[]): Kind {
  const { type = "BPE", byte_fallback: fallback } = description.model as Model & { byte_fallback?: unknown };
  if (type === "WordPiece") return wordPiece(folder, description, tokens);
  if (type === "BPE") {
    return fallback === true ? sentencePiece(folder, description, tokens) : byteLevel(folder, description);
  }
  throw refusal(folder, `its model is ${type}`, "BPE and WordPiece");
}

/**
 * A model folder's tokenizer as GGUF has it: tokens with their kinds, merges or scores, special ids, the chat template.
 *
 * @throws UserError naming the part of tokenizer.json that llama.cpp would read otherwise.
 */
export async function ggufVocabulary(folder: string, options: VocabularyOptions): Promise<GgufVocabulary> {
  const description = await readDescription(folder);
  const config: TokenizerConfig = await readTokenizerConfig(folder);
  const tokens = listTokens(folder, description, options.size);
  const special = specialTokens(folder, config, description.model.type === "WordPiece", options);
  const kind = kindOf(folder, description, tokens);
  const template = await readChatTemplate(folder);
  const metadata = new Map<string, GgufValue>([
    ["tokenizer.ggml.model", { string: kind.model }],
    ["tokenizer.ggml.pre", { string: kind.pre }],
    ["tokenizer.ggml.tokens", { strings: tokens.map(({ text }) => text) }],
    ["tokenizer.ggml.token_type", { i32s: tokens.map(({ kind }) => kind) }],
    ...kind.more,
    ...special.metadata,
    ...(template === undefined ? [] : [["tokenizer.chat_template", { string: template }] as const]),
  ]);
  return { metadata, warnings: [...kind.warnings, ...special.warnings] };
}
