import {
  type AnyPrompt,
  choosePrompt,
  givesFormat,
  isTemplatePrompt,
  type PromptFlags,
  type PromptFormat,
  type Reporter,
  readPromptFormat,
  type TemplatePrompt,
  UserError,
} from "@rag-ft/core";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { type ChatFormat, loadChatFormat } from "./chat-format.js";

/** How a generator is asked; by its chat template, which is compiled, or in a format of parts. */
export type OpenedPrompt = { prompt: TemplatePrompt; chat: ChatFormat } | { prompt: PromptFormat; chat?: undefined };

/** Says how a generator is asked, and why. */
function describe(folder: string, saved: AnyPrompt | undefined, flags: PromptFlags, prompt: AnyPrompt): string {
  if (givesFormat(flags)) return `${folder}: asked in the format that the flags give.`;
  if (isTemplatePrompt(prompt)) {
    const trained = saved ? ", as in training" : "";
    return `${folder}: asked by its own chat template${trained}${prompt.enable_thinking ? ", with thinking" : ""}.`;
  }
  return saved
    ? `${folder}: its prompt format is used; flags overrule it.`
    : `${folder}: has no chat template: asked in the plain format (${prompt.user_prefix}, ${prompt.assistant_prefix}); flags give another.`;
}

/** What looks like a special token in a part of a format. */
const LOOKS_SPECIAL = /<\|[^|<>]+\|>|<\/?s>/g;

/** Warns of a stop text that is several tokens, and of names of special tokens that this model does not have. */
function warnOfParts(
  folder: string,
  { system_text, no_answer_text: _, citations: __, ...format }: PromptFormat,
  tokenizer: Tokenizer,
  reporter: Reporter,
): void {
  const stop = format.sep_sys.trim() || format.sep_sys;
  const eos = tokenizer.eosId === undefined ? undefined : tokenizer.decode([tokenizer.eosId]);
  const advice =
    eos === undefined ? "Give --sep_sys a special token of this model." : `Give --sep_sys ${JSON.stringify(eos)}.`;
  const count = tokenizer.encode(stop, { special: false }).length;
  if (count > 1) {
    reporter.warn(
      `${folder}: sep_sys ${JSON.stringify(stop)} is ${count} tokens of this model, expected one: answers may not stop at it. ${advice}`,
    );
  }
  for (const [part, text] of Object.entries(format)) {
    for (const [token] of part === "sep_sys" ? [] : text.matchAll(LOOKS_SPECIAL)) {
      if (tokenizer.tokenId(token) !== undefined) continue;
      const known = tokenizer.controlTokens.slice(0, 8).join(" ");
      reporter.warn(
        `${folder}: ${part} has ${token}, which is no token of this model${known === "" ? "" : `. It has ${known}: give those, or none of the flags for its own format`}.`,
      );
    }
  }
}

/**
 * How the generator of a folder is asked: as flags say, as saved with the checkpoint, or by its own chat template; without any of these in
 * `fallback`, where one is given, else in the plain format. One line says which.
 *
 * @throws UserError when the checkpoint was trained by a template that is gone.
 */
export async function openPrompt(
  folder: string,
  tokenizer: Tokenizer,
  flags: PromptFlags,
  reporter: Reporter,
  fallback?: AnyPrompt,
): Promise<OpenedPrompt> {
  const saved = await readPromptFormat(folder);
  const chat = givesFormat(flags) ? undefined : await loadChatFormat(folder, tokenizer);
  if (saved && isTemplatePrompt(saved) && chat === undefined && !givesFormat(flags)) {
    throw new UserError(
      `${folder}: it was trained by its chat template, which is gone. Put tokenizer_config.json (or chat_template.jinja) of its base model there, or give the format by flags.`,
    );
  }
  const parts = fallback && !isTemplatePrompt(fallback) && chat === undefined ? fallback : undefined;
  const prompt = choosePrompt(saved ?? parts, flags, chat !== undefined);
  const known = saved === undefined && parts !== undefined && !givesFormat(flags);
  reporter.info(
    known
      ? `${folder}: has no format of its own: asked in that of the tuned model.`
      : describe(folder, saved, flags, prompt),
  );
  if (chat && isTemplatePrompt(prompt)) return { prompt, chat };
  if (isTemplatePrompt(prompt)) throw new UserError(`${folder}: no chat template.`);
  warnOfParts(folder, prompt, tokenizer, reporter);
  return { prompt };
}
