import { join } from "node:path";
import { DataError, UserError } from "@rag-ft/core";
import { z } from "zod";
import { compileTemplate } from "../chat/compile-template.js";
import { readChatTemplate } from "../chat/read-chat-template.js";
import { readOptional } from "../checkpoint/read-optional.js";
import { encodePairTruncated, type PairTruncation } from "../tokenizer/pair-tokens.js";
import type { PairTokens, Tokenizer } from "../tokenizer/tokenizer.js";

/**
 * How a question and a passage become one text for a decoder that reranks: a chat template with the roles `query` and `document`, as sentence-transformers
 * has it since 5.4.
 */
export interface PairFormat {
  /** The template's text (Jinja). */
  source: string;
  render(question: string, passage: string): string;
}

/** Of the file that sentence-transformers keeps beside a transformer: whether texts are put into messages. */
export const TRANSFORMER_FILE = "sentence_bert_config.json";
const transformerSchema = z.looseObject({
  modality_config: z.looseObject({ message: z.unknown() }).partial().nullish(),
});

const scoreSchema = z.looseObject({
  true_token_id: z.number().int().min(0),
  false_token_id: z.number().int().min(0).nullish(),
});
const modulesSchema = z.array(z.looseObject({ path: z.string(), type: z.string() }));

/** The tokens whose logits are the score: that of `yes`, less that of `no` where there is one. */
export interface AnswerTokens {
  yes: number;
  no: number | undefined;
}

/** What the module LogitScore of a folder of sentence-transformers says; undefined where it has none. */
export async function readAnswerTokens(folder: string): Promise<AnswerTokens | undefined> {
  const modules = await readOptional(join(folder, "modules.json"), modulesSchema);
  const module = modules?.find(({ type }) => type.split(".").at(-1) === "LogitScore");
  if (module === undefined) return undefined;
  const path = join(folder, module.path, "config.json");
  const config = await readOptional(path, scoreSchema);
  if (config === undefined)
    throw new DataError(`${path}: missing, though modules.json names it. Copy the whole folder of the model.`);
  return { yes: config.true_token_id, no: config.false_token_id ?? undefined };
}

/** A format of this template, checked to write both texts once and the passage after the question. */
export function createPairFormat(source: string, folder: string): PairFormat {
  const [question, passage] = ["\uFDD4", "\uFDD5"] as const;
  let render: PairFormat["render"];
  let text: string;
  try {
    const compiled = compileTemplate(source);
    render = (q, d) =>
      compiled({
        messages: [
          { role: "query", content: q },
          { role: "document", content: d },
        ],
        add_generation_prompt: false,
        tools: null,
      });
    text = render(question, passage);
  } catch (cause) {
    throw new UserError(
      `${folder}: its chat_template does not take the roles query and document (${(cause as Error).message}), which a decoder that reranks is asked by. ` +
        "Take the model's folder with the template of sentence-transformers 5.4 or later.",
      { cause },
    );
  }
  if (
    text.split(question).length === 2 &&
    text.split(passage).length === 2 &&
    text.indexOf(question) < text.indexOf(passage)
  )
    return { source, render };
  throw new UserError(
    `${folder}: its chat_template does not write query and document once each, in this order, as a decoder that reranks is asked. ` +
      "Take the model's folder with the template of sentence-transformers 5.4 or later.",
  );
}

/** The format of a folder whose transformer takes messages; undefined where it takes texts. */
export async function loadPairFormat(folder: string): Promise<PairFormat | undefined> {
  const transformer = await readOptional(join(folder, TRANSFORMER_FILE), transformerSchema);
  if (transformer?.modality_config?.message === undefined) return undefined;
  const source = await readChatTemplate(folder);
  return source === undefined ? undefined : createPairFormat(source, folder);
}

const IM_START = "<|im_start|>";

/** How a decoder that was not made for it is asked whether a passage answers a question: as a turn of a dialogue where it knows those of ChatML. */
export function ownPairFormat(tokenizer: Tokenizer, folder: string): PairFormat {
  const of = (role: string): string =>
    `{{ messages | selectattr("role", "eq", "${role}") | map(attribute="content") | first }}`;
  const ask = `Question: ${of("query")}\nPassage: ${of("document")}\nCan the question be answered from the passage? Say yes or no.`;
  const source =
    tokenizer.tokenId(IM_START) === undefined
      ? `${ask}\n`
      : `${IM_START}user\n${ask}<|im_end|>\n${IM_START}assistant\n<think>\n\n</think>\n\n`;
  // Jinja takes one line break from the end of a template.
  return createPairFormat(source.endsWith("\n") ? `${source}\n` : source, folder);
}

/** The tokens of the words yes and no, where each is one. */
export function wordsYesAndNo(tokenizer: Tokenizer): AnswerTokens | undefined {
  const [yes, no] = ["yes", "no"].map((word) => tokenizer.encode(word, { special: false }));
  return yes?.length === 1 && no?.length === 1 ? { yes: yes[0] as number, no: no[0] as number } : undefined;
}

/** How many tokens at their ends two lists share. */
function commonEnd(a: readonly number[], b: readonly number[]): number {
  let shared = 0;
  while (shared < Math.min(a.length, b.length) && a.at(-1 - shared) === b.at(-1 - shared)) shared++;
  return shared;
}

const suffixes = new WeakMap<PairFormat, number[]>();

/** The tokens that the template writes after the passage, whatever stands in it. */
function suffixOf(format: PairFormat, tokenizer: Tokenizer): number[] {
  const known = suffixes.get(format);
  if (known) return known;
  const encode = (question: string, passage: string): number[] =>
    tokenizer.encode(format.render(question, passage), { special: false });
  const [one, other] = [encode("a", "b"), encode("c", "7.")];
  const suffix = one.slice(one.length - commonEnd(one, other));
  suffixes.set(format, suffix);
  return suffix;
}

export interface PairEncoding {
  tokenizer: Tokenizer;
  maxLength: number;
  truncation: PairTruncation;
  pairFormat: PairFormat | undefined;
}

/** Tokens of a pair as the model takes it, cut to its length; what a template writes after the passage stays, as in sentence-transformers. */
export function encodePairFor(
  { tokenizer, maxLength, truncation, pairFormat }: PairEncoding,
  question: string,
  passage: string,
): PairTokens {
  if (pairFormat === undefined) return encodePairTruncated(tokenizer, question, passage, maxLength, truncation);
  // What the texts hold is text: no control token, whatever it looks like.
  const text = pairFormat.render(tokenizer.asText(question), tokenizer.asText(passage));
  let ids = tokenizer.encode(text, { special: false });
  if (ids.length > maxLength) {
    const suffix = suffixOf(pairFormat, tokenizer).slice(-maxLength);
    ids = [...ids.slice(0, maxLength - suffix.length), ...suffix];
  }
  return { ids, types: ids.map(() => 0) };
}
