import { InvalidPromptError, type LanguageModelV4Prompt, UnsupportedFunctionalityError } from "@ai-sdk/provider";
import type { AskOptions } from "@rag-ft/answer";

type Message = LanguageModelV4Prompt[number];

interface Turn {
  role: Message["role"];
  text: string;
}

/** @throws UnsupportedFunctionalityError at a part that the system cannot read. */
function textOf({ role, content }: Message): string {
  if (typeof content === "string") return content;
  return content
    .flatMap((part) => {
      if (part.type === "text") return [part.text];
      // What a model thought plays no part in the dialogue.
      if (part.type === "reasoning" || part.type === "reasoning-file") return [];
      throw new UnsupportedFunctionalityError({
        functionality: `${part.type} parts`,
        message: `A message of role ${role} holds a part of type ${part.type}; a rag-ft system reads text alone. Leave it out.`,
      });
    })
    .join("\n");
}

export interface ReadPrompt {
  question: string;
  history: NonNullable<AskOptions["history"]>;
  /** Whether instructions were given: a system has its own, which it was trained with. */
  instructed: boolean;
}

/**
 * The question, which is the last message, and the dialogue before it.
 *
 * @throws InvalidPromptError when the last message is no question.
 */
export function readPrompt(prompt: LanguageModelV4Prompt): ReadPrompt {
  const turns: Turn[] = prompt.map((message) => ({ role: message.role, text: textOf(message) }));
  const last = turns.at(-1);
  if (last?.role !== "user" || last.text.trim() === "") {
    throw new InvalidPromptError({
      prompt,
      message: `the last message is the question, of role user and with text; found ${last ? `role ${last.role}` : "none"}.`,
    });
  }
  return {
    question: last.text.trim(),
    history: turns
      .slice(0, -1)
      .flatMap(({ role, text }) => (role === "user" || role === "assistant" ? [{ speaker: role, message: text }] : [])),
    instructed: turns.some(({ role }) => role === "system"),
  };
}
