import {
  buildPrompt,
  chatTemplateOf,
  type PromptFormat,
  promptMessages,
  type Reporter,
  writePromptFormat,
} from "@rag-ft/core";
import { addStopTokens, createChatFormat, type OpenedPrompt, type Tokenizer, writeChatTemplate } from "@rag-ft/models";

/** A dialogue in which every part of a format stands. */
const SAMPLE = {
  passages: [{ fmt_content: "Source: a.md\nContent:\nOne passage." }],
  question: "What is it?",
  history: [
    { speaker: "user", message: "Hello" },
    { speaker: "assistant", message: "Hi." },
  ],
};

/** What the tokenizer puts around a text, as strings of its tokens. */
function tokensAround(tokenizer: Tokenizer): { start: string; end: string } {
  const bare = tokenizer.encode("a", { special: false });
  const whole = tokenizer.encode("a");
  const at = whole.findIndex((_, i) => bare.every((id, k) => whole[i + k] === id));
  return { start: tokenizer.decode(whole.slice(0, at)), end: tokenizer.decode(whole.slice(at + bare.length)) };
}

/**
 * The format of parts as a chat template that gives the tokens of training; undefined when this tokenizer reads a text with special tokens
 * written out in another way than one without.
 */
export function templateFor(format: PromptFormat, tokenizer: Tokenizer): string | undefined {
  const { start, end } = tokensAround(tokenizer);
  const { passages, question, history } = SAMPLE;
  const wanted = tokenizer.encode(buildPrompt(format, passages, question, history)).join();
  const messages = promptMessages(format, passages, question, history);
  // A tokenizer of SentencePiece's kind puts a space before the text's first word only: written out, it is the same token.
  return [start, `${start} `]
    .map((opening) => chatTemplateOf(format, { start: opening, end }))
    .find((source) => {
      const prompt = createChatFormat(source, {}, tokenizer, "this format").prompt(messages);
      return tokenizer.encode(prompt, { special: false }).join() === wanted;
    });
}

/**
 * Writes beside a generator's weights how it was asked in training: for us, and as the folder's chat template for all other programs. The model's own
 * template stays as it is when it was used. Generation stops at the token that ends a turn.
 */
export async function savePrompt(
  folder: string,
  { prompt, chat }: OpenedPrompt,
  tokenizer: Tokenizer,
  reporter: Reporter,
): Promise<void> {
  await writePromptFormat(folder, prompt);
  if (chat) return addStopTokens(folder, chat.endIds);
  const source = templateFor(prompt, tokenizer);
  if (source === undefined) {
    reporter.warn(
      `${folder}: no chat template could be written that gives the tokens of training: other programs than rag-ft have to build the prompt by rag_ft_prompt.json.`,
    );
    return;
  }
  await writeChatTemplate(folder, source);
  const stop = tokenizer.tokenId(prompt.sep_sys.trim());
  if (stop !== undefined) await addStopTokens(folder, [stop]);
}
