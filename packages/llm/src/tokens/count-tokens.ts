import type { ChatMessage, ReplySchema } from "../language-model.js";

/** What the chat format adds: three tokens a message and one for its role, and three that open the reply. */
const TOKENS_A_MESSAGE = 4;
const TOKENS_A_REPLY = 3;

/** Names of models that count as we do. */
const COUNTS_ALIKE = /^(gpt-|chatgpt-|o\d)/;

/** Tokens that a prompt has at most: our count and a little for models that count alike, else its bytes (no token is shorter). */
export function promptBound(
  model: string,
  messages: readonly ChatMessage[],
  counted: number,
  schema?: ReplySchema,
): number {
  // A schema may be billed as part of the prompt.
  const extra = schema ? Buffer.byteLength(JSON.stringify(schema)) : 0;
  if (COUNTS_ALIKE.test(model)) return Math.ceil(counted * 1.02) + 8 + extra;
  const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  return bytes + extra + 16 * (messages.length + 1);
}

/** Tokens of texts as OpenAI's current models count them (o200k_base); close to other models' counts for English. */
export async function countTextTokens(texts: readonly string[]): Promise<number> {
  // Loaded only when needed: the table is large.
  const { countTokens: count } = await import("gpt-tokenizer/encoding/o200k_base");
  return texts.reduce((sum, text) => sum + count(text, { disallowedSpecial: new Set() }), 0);
}

/** Tokens of a prompt with what the chat format adds. */
export async function countTokens(messages: readonly ChatMessage[]): Promise<number> {
  const tokens = await countTextTokens(messages.map(({ content }) => content));
  return tokens + TOKENS_A_MESSAGE * messages.length + TOKENS_A_REPLY;
}
