import { type DialogueTurn, type Document, hashText, isAssistantTurn, type QuestionKind } from "@rag-ft/core";
import type { DomainConfig } from "./domain-config.js";
import type { ChatMessage } from "./language-model.js";
import { askedText, kindInstruction } from "./question-kinds.js";

/** Puts texts in for `{name}`, all in one pass: a text that holds braces itself is left as it is. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (found, name: string) => values[name] ?? found);
}

/** Version of a prompt: the first 12 hexadecimal digits of the hash of all that it is made of, but for what is added for a passage in another language. */
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

/** An instruction, with what else holds for a passage in another language than the instruction's. */
function instructionFor(instruction: string, language: string | undefined, more: (language: string) => string): string {
  return language === undefined ? instruction.trim() : `${instruction.trim()} ${more(language)}`;
}

/** Worked examples are turns of the dialogue: chat models follow them, and base models see one running text. `language`: see `ForeignLanguage`, as of the functions below. */
export function questionMessages(
  domain: DomainConfig,
  passage: Pick<Document, "fmt_content">,
  language?: string,
): ChatMessage[] {
  const { instruction, template, examples } = domain.question_prompt;
  const ask = (text: string): ChatMessage => ({
    role: "user",
    content: fillTemplate(template, { passage: text.trim() }),
  });
  const turns = examples.flatMap(({ passage: text, questions }): ChatMessage[] => [
    ask(text),
    { role: "assistant", content: questions.map((question, i) => `Question ${i + 1}: ${question}`).join("\n") },
  ]);
  const content = instructionFor(
    instruction,
    language,
    (name) =>
      `The questions to this passage are to be in ${name}; only the labels 'Question 1:' and 'Question 2:' stay English.`,
  );
  return [{ role: "system", content }, ...turns, ask(passage.fmt_content)];
}

/** The same for other kinds of questions, in words of their own; the domain's worked examples, which are of full questions, are left out. */
export function kindMessages(
  domain: DomainConfig,
  passages: readonly Pick<Document, "fmt_content">[],
  kind: QuestionKind,
  language?: string,
): ChatMessage[] {
  if (kind === "full") return questionMessages(domain, { fmt_content: askedText(passages) }, language);
  const content = instructionFor(
    kindInstruction(kind, domain.question_kind_instructions),
    language,
    (name) => `All of it is to be in ${name}; only the labels before the colons, and the reply 'None', stay English.`,
  );
  const asked = fillTemplate(domain.question_prompt.template, { passage: askedText(passages) });
  return [
    { role: "system", content },
    { role: "user", content: asked },
  ];
}

/** Said only where there is a dialogue. */
const LAST_OF_A_DIALOGUE = "The question is the last turn of a dialogue, which is given first.";

const dialogueText = (history: readonly DialogueTurn[]): string =>
  `Dialogue:\n${history.map((turn) => `${isAssistantTurn(turn) ? "System" : "User"}: ${turn.message}`).join("\n")}`;

const IN_A_DIALOGUE = `${LAST_OF_A_DIALOGUE} Answer the question alone.`;

/** Kinds of questions that are typed or pasted, not asked. */
const TYPED: ReadonlySet<string | undefined> = new Set(["keywords", "error_message"]);
const AS_TYPED =
  "The question is what somebody typed or pasted into a search: answer what they want to know, as far as the passage tells.";

/** Said only where answers are to cite. */
const CITING =
  "Each passage has its number in square brackets before it. End each sentence of the answer with the number of the passage that says it, before the full stop, such as [1].";

/** A worked example's answer with the citation that it would have, before its full stop. */
const cited = (answer: string): string => answer.trimEnd().replace(/([.!?。！？]?)$/, " [1]$1");

export interface AnswerMessageOptions {
  language?: string | undefined;
  /** The dialogue before the question. */
  history?: readonly DialogueTurn[];
  /** Of the question, where the row says it. */
  kind?: string | undefined;
  /** Number the passages, and ask for their numbers in the answer. */
  citations?: boolean;
}

/** The gold passages, joined by a blank line, and the question; before them the dialogue, where there is one. */
export function answerMessages(
  domain: DomainConfig,
  passages: readonly Pick<Document, "fmt_content">[],
  question: string,
  { language, history = [], citations = false, kind }: AnswerMessageOptions = {},
): ChatMessage[] {
  const { instruction, template, examples, not_in_passage } = domain.answer_prompt;
  const ask = (text: string, asked: string): ChatMessage => ({
    role: "user",
    content: fillTemplate(template, { passage: text.trim(), question: asked }),
  });
  const numbered = (text: string, i = 0): string => (citations ? `[${i + 1}] ${text.trim()}` : text);
  const turns = examples.flatMap((example): ChatMessage[] => [
    ask(numbered(example.passage), example.question),
    {
      role: "assistant",
      content: citations && example.answer !== not_in_passage ? cited(example.answer) : example.answer,
    },
  ]);
  const text = passages.map((passage, i) => numbered(passage.fmt_content, i)).join("\n\n");
  const content = instructionFor(
    [instruction.trim(), ...(TYPED.has(kind) ? [AS_TYPED] : []), ...(citations ? [CITING] : [])].join(" "),
    language,
    (name) =>
      `The answer to this question is to be in ${name}${not_in_passage === undefined ? "" : `; only the reply '${not_in_passage}' stays as it is`}.`,
  );
  const asked = ask(text, question);
  if (history.length === 0) return [{ role: "system", content }, ...turns, asked];
  return [
    { role: "system", content: `${content} ${IN_A_DIALOGUE}` },
    ...turns,
    { role: "user", content: `${dialogueText(history)}\n\n${asked.content}` },
  ];
}

/** The passage and a question, for the judge of whether the one answers the other. */
export function answerabilityMessages(
  domain: DomainConfig,
  passage: Pick<Document, "fmt_content">,
  question: string,
  language?: string,
  history: readonly DialogueTurn[] = [],
): ChatMessage[] {
  const { instruction, template } = domain.answerability_prompt;
  const more = (): string => "This passage is not in English; the verdict stays an English word.";
  const content = instructionFor(instruction, language, more);
  const asked = fillTemplate(template, { passage: passage.fmt_content.trim(), question });
  return [
    { role: "system", content: history.length === 0 ? content : `${content} ${LAST_OF_A_DIALOGUE}` },
    { role: "user", content: history.length === 0 ? asked : `${dialogueText(history)}\n\n${asked}` },
  ];
}
