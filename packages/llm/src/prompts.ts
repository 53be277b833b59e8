import { type Document, hashText } from "@rag-ft/core";
import type { DomainConfig } from "./domain-config.js";
import type { ChatMessage } from "./language-model.js";

/** Puts texts in for `{name}`, all in one pass: a text that holds braces itself is left as it is. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (found, name: string) => values[name] ?? found);
}

/** Version of a prompt: the first 12 hexadecimal digits of the hash of all that it is made of. */
export function promptHash(
  prompt: DomainConfig["question_prompt"] | DomainConfig["answer_prompt"] | DomainConfig["answerability_prompt"],
): string {
  return hashText(JSON.stringify(prompt)).slice(0, 12);
}

/** What a row says of the request that it comes from. */
export interface Provenance {
  model: string;
  /** The domain config's name and the prompt's hash. */
  prompt: string;
  temperature: number;
  max_new_tokens: number;
  seed: number;
}

/** The prompt's version and the parameters of a stage's requests. */
export function provenanceOf(
  domain: string,
  prompt: Parameters<typeof promptHash>[0],
  settings: { prompt_model: string; temperature: number; max_new_tokens: number; seed: number },
): Provenance {
  const { prompt_model, temperature, max_new_tokens, seed } = settings;
  return { model: prompt_model, prompt: `${domain}@${promptHash(prompt)}`, temperature, max_new_tokens, seed };
}

/** Worked examples are turns of the dialogue: chat models follow them, and base models see one running text. */
export function questionMessages(domain: DomainConfig, passage: Pick<Document, "fmt_content">): ChatMessage[] {
  const { instruction, template, examples } = domain.question_prompt;
  const ask = (text: string): ChatMessage => ({
    role: "user",
    content: fillTemplate(template, { passage: text.trim() }),
  });
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
  const { instruction, template, examples } = domain.answer_prompt;
  const ask = (text: string, asked: string): ChatMessage => ({
    role: "user",
    content: fillTemplate(template, { passage: text.trim(), question: asked }),
  });
  const turns = examples.flatMap((example): ChatMessage[] => [
    ask(example.passage, example.question),
    { role: "assistant", content: example.answer },
  ]);
  const text = passages.map((passage) => passage.fmt_content).join("\n\n");
  return [{ role: "system", content: instruction.trim() }, ...turns, ask(text, question)];
}

/** The passage and a question, for the judge of whether the one answers the other. */
export function answerabilityMessages(
  domain: DomainConfig,
  passage: Pick<Document, "fmt_content">,
  question: string,
): ChatMessage[] {
  const { instruction, template } = domain.answerability_prompt;
  return [
    { role: "system", content: instruction.trim() },
    { role: "user", content: fillTemplate(template, { passage: passage.fmt_content.trim(), question }) },
  ];
}
