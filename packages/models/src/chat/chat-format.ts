import { join } from "node:path";
import { DataError, readTextIfThere, UserError } from "@rag-ft/core";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { compileTemplate } from "./compile-template.js";
import { readChatTemplate, TOKENIZER_CONFIG } from "./read-chat-template.js";

/** A turn of a dialogue. */
export interface ChatTurnText {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface ChatOptions {
  /** The template's `enable_thinking`; false when left out. */
  thinking?: boolean | undefined;
}

/** How a model is asked by its chat template. Prompts are texts for `Tokenizer.encode` with `special: false`. */
export interface ChatFormat {
  /** The template's text. */
  source: string;
  /** The dialogue up to where the answer begins. What turns hold is text: no control token, whatever it looks like. */
  prompt(messages: readonly ChatTurnText[], options?: ChatOptions): string;
  /**
   * A training example: the prompt, and what the model has to add to it, which is the answer with the token that ends its turn.
   *
   * @throws DataError where the template does not go on from the prompt with the answer.
   */
  example(messages: readonly ChatTurnText[], answer: string, options?: ChatOptions): { prompt: string; answer: string };
  /** The tokens that end the assistant's turn: what the template writes, which may be other than the model's stop token. */
  endIds: number[];
}

/** Stands for the content of a turn where the template is looked into. */
const PROBE = "\uFDD4";

const SPECIAL_NAMES = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];

/** The special tokens that a template may write by name, of `tokenizer_config.json` or `special_tokens_map.json`. */
async function specialNames(folder: string): Promise<Record<string, string>> {
  const names: Record<string, string> = {};
  for (const file of ["special_tokens_map.json", TOKENIZER_CONFIG]) {
    const config = JSON.parse((await readTextIfThere(join(folder, file))) ?? "{}") as Record<string, unknown>;
    for (const name of SPECIAL_NAMES) {
      const token = config[name];
      const content = typeof token === "object" && token !== null ? (token as { content?: unknown }).content : token;
      if (typeof content === "string") names[name] = content;
    }
  }
  return names;
}

/** The system's message at the head of the first user turn, for templates that have no such role. */
function foldSystem(messages: readonly ChatTurnText[]): ChatTurnText[] {
  const [first, second, ...others] = messages;
  if (first?.role !== "system") return [...messages];
  if (second?.role !== "user") return [{ role: "user", content: first.content }, ...messages.slice(1)];
  return [{ role: "user", content: `${first.content}\n\n${second.content}` }, ...others];
}

/** User and assistant in turn, the user first: what some templates insist on. Neighbours of one role become one turn. */
function alternating(messages: readonly ChatTurnText[]): ChatTurnText[] {
  const turns: ChatTurnText[] = [];
  for (const { role, content } of messages) {
    const last = turns.at(-1);
    const speaker = role === "assistant" && (last === undefined || last.role === "system") ? "user" : role;
    if (last?.role === speaker) turns[turns.length - 1] = { role: speaker, content: `${last.content}\n\n${content}` };
    else turns.push({ role: speaker, content });
  }
  return turns;
}

/**
 * The chat format of a model folder, by its own template; undefined when it has none.
 *
 * @throws DataError when the template cannot be read, or writes no dialogue.
 */
export async function loadChatFormat(folder: string, tokenizer: Tokenizer): Promise<ChatFormat | undefined> {
  const source = await readChatTemplate(folder);
  if (source === undefined) return undefined;
  return createChatFormat(source, await specialNames(folder), tokenizer, folder);
}

/** The same of a template's text; `folder` is named in messages. */
export function createChatFormat(
  source: string,
  names: Readonly<Record<string, string>>,
  tokenizer: Tokenizer,
  folder: string,
): ChatFormat {
  const unusable = (what: string, cause?: unknown): DataError =>
    new DataError(
      `${folder}: its chat_template ${what}. Mend the template, or give the prompt's parts by flags (--user_prefix, --assistant_prefix, --sep_user, --sep_sys).`,
      { cause },
    );
  let compiled: ReturnType<typeof compileTemplate>;
  try {
    compiled = compileTemplate(source);
  } catch (cause) {
    throw unusable(`is no Jinja that can be read (${(cause as Error).message})`, cause);
  }
  const write = (messages: readonly ChatTurnText[], generate: boolean, { thinking = false }: ChatOptions): string =>
    compiled({ ...names, messages, add_generation_prompt: generate, enable_thinking: thinking, tools: null });

  const ask = { role: "user", content: "ask" } as const;
  /** Whether the system's message is written where it has a role of its own. */
  const hasSystem = ((): boolean => {
    try {
      return write([{ role: "system", content: PROBE }, ask], true, {}).includes(PROBE);
    } catch {
      return false;
    }
  })();

  const render = (messages: readonly ChatTurnText[], generate: boolean, options: ChatOptions): string => {
    const turns = hasSystem ? [...messages] : foldSystem(messages);
    try {
      return write(turns, generate, options);
    } catch (cause) {
      const again = alternating(turns);
      if (again.length === turns.length && again.every(({ role }, i) => role === turns[i]?.role)) {
        throw new UserError(`${folder}: its chat_template refuses a dialogue: ${(cause as Error).message}.`, { cause });
      }
      return write(again, generate, options);
    }
  };
  const asTexts = (messages: readonly ChatTurnText[]): ChatTurnText[] =>
    messages.map(({ role, content }) => ({ role, content: tokenizer.asText(content) }));

  /** What stands around the answer in the whole dialogue. */
  const around = (messages: readonly ChatTurnText[], options: ChatOptions): { before: string; after: string } => {
    const parts = render([...messages, { role: "assistant", content: PROBE }], false, options).split(PROBE);
    const [before = "", after = ""] = parts;
    if (parts.length !== 2) throw unusable(`writes the assistant's answer ${parts.length - 1} times, expected once`);
    return { before, after };
  };

  /** The token that ends the assistant's turn, by what the template writes after an answer; else the model's stop token. */
  const endOf = (after: string): string => {
    const places = tokenizer.controlTokens
      .map((token) => ({ token, at: after.indexOf(token) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at || b.token.length - a.token.length);
    const [first] = places;
    if (first) return after.slice(0, first.at + first.token.length);
    if (tokenizer.eosId === undefined) {
      throw unusable("ends the assistant's turn with no special token, and the tokenizer names no eos_token either");
    }
    return tokenizer.decode([tokenizer.eosId]);
  };

  if (!render([{ role: "user", content: PROBE }], true, {}).includes(PROBE)) {
    throw unusable("does not write what the user says");
  }
  const end = endOf(around([ask], {}).after);
  return {
    source,
    prompt: (messages, options = {}) => render(asTexts(messages), true, options),
    example(messages, answer, options = {}) {
      const turns = asTexts(messages);
      const { before, after } = around(turns, options);
      const whole = render([...turns, { role: "assistant", content: tokenizer.asText(answer) }], false, options);
      if (!whole.startsWith(before) || !whole.endsWith(after)) {
        throw unusable("writes the turns before an answer otherwise when the answer is another");
      }
      // As written: the template may have trimmed it.
      const written = whole.slice(before.length, whole.length - after.length);
      const prompt = render(turns, true, options);
      const ending = endOf(after);
      if (prompt.startsWith(before)) return { prompt, answer: `${written}${ending}` };
      if (!before.startsWith(prompt)) throw unusable("with add_generation_prompt does not begin as the whole dialogue");
      const between = before.slice(prompt.length);
      // White space is the model's to write. Anything else, such as empty thoughts, is not learned: the answer follows it.
      return between.trim() === ""
        ? { prompt, answer: `${between}${written}${ending}` }
        : { prompt: before, answer: `${written}${ending}` };
    },
    endIds: tokenizer.encode(end, { special: false }).slice(-1),
  };
}
