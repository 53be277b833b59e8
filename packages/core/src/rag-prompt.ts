import { stripCitations } from "./citations.js";
import type { Document } from "./document.js";
import { type DialogueTurn, isAssistantTurn } from "./retrieval-query.js";

/** How a generator's prompt is put together; the same in training and in test, saved with the checkpoint. */
export interface PromptFormat {
  /** Instruction at the start. */
  system_text: string;
  /** Before the instruction, such as `<|im_start|>system\n` for ChatML; empty for plain prompts. */
  system_prefix: string;
  /** After instruction and context. */
  sep_system: string;
  user_prefix: string;
  assistant_prefix: string;
  /** After the user's turn. */
  sep_user: string;
  /** After the assistant's turn; generation stops here. */
  sep_sys: string;
  /** What the model was trained to say where its passages hold no answer; left out where it was not. */
  no_answer_text?: string | undefined;
  /** Passages are numbered, and answers are to cite them. */
  citations?: boolean | undefined;
}

export const defaultPromptFormat: PromptFormat = {
  system_text: "Answer the question from the documentation below. Keep to what it says.",
  system_prefix: "",
  sep_system: "\n\n",
  user_prefix: "USER",
  assistant_prefix: "ASSISTANT",
  sep_user: " ",
  sep_sys: "</s>",
};

/** A prefix that is a plain word takes a colon (`USER: `), one that ends in a bracket a space; white space stays as it is. */
export function opened(prefix: string): string {
  if (prefix === "" || /\s$/.test(prefix)) return prefix;
  return /[\p{L}\p{N}]$/u.test(prefix) ? `${prefix}: ` : `${prefix} `;
}

/** How a text from outside is written into a prompt: a tokenizer's `asText` keeps its special tokens from being read as such. */
export type TextForm = (text: string) => string;

const asItIs: TextForm = (text) => text;

/** Added to the instruction where answers are to cite. */
const CITING = "After each statement, cite the passages that it comes from by their numbers, such as [1].";

type Instruction = Pick<PromptFormat, "system_text" | "citations">;

/** What a prompt begins with. */
export const instructionOf = ({ system_text, citations }: Instruction): string =>
  citations ? `${system_text} ${CITING}`.trim() : system_text;

/** The passages of a prompt, joined by newlines; numbered from 1 where answers cite them. */
export function contextText(passages: readonly Pick<Document, "fmt_content">[], citations = false): string {
  return passages.map(({ fmt_content }, i) => (citations ? `[${i + 1}] ${fmt_content}` : fmt_content)).join("\n");
}

/** The turns before a question; numbers in earlier answers are those of other passages, and would mislead. */
const turnsBefore = (history: readonly DialogueTurn[], citations = false): readonly DialogueTurn[] =>
  citations
    ? history.map((turn) => (isAssistantTurn(turn) ? { ...turn, message: stripCitations(turn.message) } : turn))
    : history;

/** The prompt up to where the assistant's answer begins: system text, passages joined by newlines, dialogue, question. */
export function buildPrompt(
  format: PromptFormat,
  passages: readonly Pick<Document, "fmt_content">[],
  question: string,
  history: readonly DialogueTurn[] = [],
  asText: TextForm = asItIs,
): string {
  const context = asText(contextText(passages, format.citations));
  const turns = turnsBefore(history, format.citations).map((turn) =>
    isAssistantTurn(turn)
      ? `${opened(format.assistant_prefix)}${asText(turn.message)}${format.sep_sys}`
      : `${opened(format.user_prefix)}${asText(turn.message)}${format.sep_user}`,
  );
  return [
    format.system_prefix,
    instructionOf(format),
    "\n\n",
    context,
    format.sep_system,
    ...turns,
    opened(format.user_prefix),
    asText(question),
    format.sep_user,
    opened(format.assistant_prefix),
  ].join("");
}

/** The answer with what ends it: the text whose tokens carry the loss. */
export function buildAnswer(format: PromptFormat, answer: string, asText: TextForm = asItIs): string {
  return `${asText(answer)}${format.sep_sys}`;
}

/** A prompt by the model's own chat template. */
export interface TemplatePrompt {
  prompt: "chat_template";
  system_text: string;
  /** The template's `enable_thinking`. */
  enable_thinking: boolean;
  /** As those of `PromptFormat`. */
  no_answer_text?: string | undefined;
  citations?: boolean | undefined;
}

/** How a generator is asked: by its chat template, or in a format of parts. */
export type AnyPrompt = PromptFormat | TemplatePrompt;

export function isTemplatePrompt(prompt: AnyPrompt): prompt is TemplatePrompt {
  return "prompt" in prompt;
}

/** A turn as chat templates and models behind an API take it. */
export interface PromptMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

/** The same question as a dialogue: instruction and passages as the system's message, then the turns. */
export function promptMessages(
  instruction: Instruction,
  passages: readonly Pick<Document, "fmt_content">[],
  question: string,
  history: readonly DialogueTurn[] = [],
): PromptMessage[] {
  const context = contextText(passages, instruction.citations);
  return [
    { role: "system", content: `${instructionOf(instruction)}\n\n${context}` },
    ...turnsBefore(history, instruction.citations).map(
      (turn): PromptMessage => ({ role: isAssistantTurn(turn) ? "assistant" : "user", content: turn.message }),
    ),
    { role: "user", content: question },
  ];
}
