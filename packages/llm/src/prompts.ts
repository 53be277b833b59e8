import type { Document } from "@rag-ft/core";
import type { DomainConfig } from "./domain-config.js";
import type { ChatMessage } from "./language-model.js";

/** Worked examples are turns of the dialogue: chat models follow them, and base models see one running text. */
export function questionMessages(domain: DomainConfig, passage: Pick<Document, "fmt_content">): ChatMessage[] {
  const { instruction, examples } = domain.question_prompt;
  const ask = (text: string): ChatMessage => ({ role: "user", content: `Passage:\n${text.trim()}\n\nQuestions:` });
  const turns = examples.flatMap(({ passage: text, questions }): ChatMessage[] => [
    ask(text),
    { role: "assistant", content: questions.map((question, i) => `Question ${i + 1}: ${question}`).join("\n") },
  ]);
  return [{ role: "system", content: instruction.trim() }, ...turns, ask(passage.fmt_content)];
}

/** The gold passages, joined by a blank line, and the question. */
export function answerMessages(
  domain: DomainConfig,
  passages: readonly Pick<Document, "fmt_content">[],
  question: string,
): ChatMessage[] {
  const { instruction, examples } = domain.answer_prompt;
  const ask = (text: string, asked: string): ChatMessage => ({
    role: "user",
    content: `Passage:\n${text.trim()}\n\nQuestion: ${asked}\nAnswer:`,
  });
  const turns = examples.flatMap((example): ChatMessage[] => [
    ask(example.passage, example.question),
    { role: "assistant", content: example.answer },
  ]);
  const text = passages.map((passage) => passage.fmt_content).join("\n\n");
  return [{ role: "system", content: instruction.trim() }, ...turns, ask(text, question)];
}
