import { type Document, QUESTION_KINDS, type QuestionKind } from "@rag-ft/core";
import { z } from "zod";
import type { ReplySchema } from "./language-model.js";

const shares = z.partialRecord(z.enum(QUESTION_KINDS), z.number().min(0).max(1));

/** Which share of the passages is asked for which kind of question; they add up to 1. */
export const questionKindsSchema = shares.refine(
  (kinds) => Math.abs(Object.values(kinds).reduce((sum, share) => sum + share, 0) - 1) < 1e-6,
  { error: ({ input }) => `shares of kinds add up to 1, these to ${sumOf(input)}` },
);

function sumOf(input: unknown): number {
  const values = Object.values((input ?? {}) as Record<string, number>);
  return Number(values.reduce((sum, share) => sum + share, 0).toFixed(6));
}

export type QuestionKinds = z.infer<typeof shares>;

const TASK = "You help to build a test for a documentation search.";
const NAMED =
  "Name the product, function or setting that it is about, so that it can be understood without the passage.";

/** What is asked for by kind; `full` is the domain's own prompt. */
const INSTRUCTIONS: Record<Exclude<QuestionKind, "full">, string> = {
  keywords: `${TASK} Read the passage and write two different searches that somebody who has not seen it could type to find it: two to six words each, in the way in which people type into a search box, no sentence and no question. Name the product, function or setting that is looked for. Each stands on a line of its own: first 'Search 1: ...', then 'Search 2: ...'.`,
  error_message: `${TASK} Read the passage, and write two different things that somebody who has met an error, a warning or a failure that it explains could paste or type: the message as the program prints it, or what goes wrong in a few words, with or without a short question behind it. Messages and codes are to be as the passage has them; make none up. Each stands on a line of its own: first 'Search 1: ...', then 'Search 2: ...'. If the passage explains no failure, reply only: None.`,
  how_to: `${TASK} Read the passage and write two different questions of somebody who wants to get something done and has not seen it, and whom it tells how: what they want to reach, not the name of what does it, as in 'How do I ...', 'How can I ...' or 'What do I do to ...'. ${NAMED} Each question stands on a line of its own and ends with a question mark: first 'Question 1: ...', then 'Question 2: ...'. If the passage tells how to do nothing, reply only: None.`,
  follow_up: `${TASK} Read the passage and write a short dialogue between somebody who has not seen it and an assistant who has: a question that it answers, the assistant's answer in one or two sentences, and then a second question, which the passage answers as well. The first question names the product, function or setting; the second is short, goes on from what was said, and can only be understood with it. Write three lines: 'Question: ...', 'Answer: ...', 'Follow-up: ...'.`,
  two_passages: `${TASK} Read both passages and write one question that somebody who has seen neither could ask, and to which a full answer takes something from each of the two: a comparison, steps that follow on each other, a setting and what it acts on. ${NAMED} Never speak of passages. It stands on one line and ends with a question mark: 'Question 1: ...'. If no such question makes sense, reply only: None.`,
};

/** What a prompt says of its passages' kind of question: the domain's own words, where it has some. */
export function kindInstruction(
  kind: Exclude<QuestionKind, "full">,
  own: Partial<Record<QuestionKind, string>> | undefined,
): string {
  return own?.[kind] ?? INSTRUCTIONS[kind];
}

/** The passages of a request for questions. */
export function askedText(passages: readonly Pick<Document, "fmt_content">[]): string {
  const texts = passages.map(({ fmt_content }) => fmt_content.trim());
  return texts.length > 1 ? texts.map((text, i) => `[Passage ${i + 1}]\n${text}`).join("\n\n") : (texts[0] ?? "");
}

const listOf = (name: string, key: string, description: string): ReplySchema => ({
  name,
  schema: {
    type: "object",
    properties: { [key]: { type: "array", description, items: { type: "string" } } },
    required: [key],
    additionalProperties: false,
  },
});

/** Forms of replies, for servers that can hold a model to one. */
export const KIND_SCHEMAS: Record<QuestionKind, ReplySchema> = {
  full: listOf("questions", "questions", "Two questions, each without a label and with a question mark at its end."),
  how_to: listOf(
    "questions",
    "questions",
    "Two questions, each without a label and with a question mark at its end; none where the passage tells how to do nothing.",
  ),
  keywords: listOf("searches", "searches", "Two searches of two to six words, without labels."),
  error_message: listOf(
    "searches",
    "searches",
    "Two messages or symptoms, without labels; none where the passage explains no failure.",
  ),
  two_passages: listOf(
    "questions",
    "questions",
    "One question, without a label and with a question mark at its end; none where no such question makes sense.",
  ),
  follow_up: {
    name: "dialogue",
    schema: {
      type: "object",
      properties: {
        question: { type: "string", description: "The first question." },
        answer: { type: "string", description: "The assistant's answer, one or two sentences." },
        follow_up: { type: "string", description: "The second question." },
      },
      required: ["question", "answer", "follow_up"],
      additionalProperties: false,
    },
  },
};
