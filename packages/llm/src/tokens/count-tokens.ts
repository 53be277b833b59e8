import type { ChatMessage } from "../language-model.js";

/** What the chat format adds: three tokens a message and one for its role, and three that open the reply. */
const TOKENS_A_MESSAGE = 4;
const TOKENS_A_REPLY = 3;

/** Tokens of a prompt as OpenAI's current models count them (o200k_base); close to other models' counts for English. */
export async function countTokens(messages: readonly ChatMessage[]): Promise<number> {
  // Loaded only when needed: the table is large.
  const { countTokens: count } = await import("gpt-tokenizer/encoding/o200k_base");
  return messages.reduce(
    (sum, { content }) => sum + TOKENS_A_MESSAGE + count(content, { disallowedSpecial: new Set() }),
    TOKENS_A_REPLY,
  );
}
