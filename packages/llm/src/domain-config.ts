import { QUESTION_KINDS } from "@rag-ft/core";
import { z } from "zod";
import { ANSWERABILITY_INSTRUCTION } from "./answerability-instruction.js";
import { questionKindsSchema } from "./question-kinds.js";

const filterSchema = z.strictObject({
  /** Passages with fewer words are no gold passages; in a script without spaces, words are those of Unicode's dictionaries. */
  min_words: z.int().min(0).default(0),
  /** The first entry whose text the source contains gives the chance to be kept; 1 without one. */
  url_weights: z.array(z.strictObject({ contains: z.string().min(1), weight: z.number().min(0).max(1) })).default([]),
});

/** A text with placeholders; every one of them has to be there, and no other. */
const templateSchema = (placeholders: readonly string[], standard: string): z.ZodDefault<z.ZodString> =>
  z
    .string()
    .refine(
      (text) => {
        const found = [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
        return [...new Set(found)].sort().join() === [...placeholders].sort().join();
      },
      `a template holds ${placeholders.map((name) => `{${name}}`).join(" and ")}`,
    )
    .default(standard);

const questionPromptSchema = z.strictObject({
  instruction: z.string().min(1),
  /** The user's turn. */
  template: templateSchema(["passage"], "Passage:\n{passage}\n\nQuestions:"),
  examples: z
    .array(z.strictObject({ passage: z.string().min(1), questions: z.array(z.string().min(1)).min(1) }))
    .default([]),
});

const answerPromptSchema = z.strictObject({
  instruction: z.string().min(1),
  /** The user's turn. */
  template: templateSchema(["passage", "question"], "Passage:\n{passage}\n\nQuestion: {question}\nAnswer:"),
  examples: z
    .array(z.strictObject({ passage: z.string().min(1), question: z.string().min(1), answer: z.string().min(1) }))
    .default([]),
  /** The reply that the instruction asks for when the passage holds no answer; questions with it are set apart. Off when left out. */
  not_in_passage: z.string().min(1).optional(),
});

/** Asks for yes or no. */
const answerabilityPromptSchema = z.strictObject({
  instruction: z.string().min(1),
  /** The user's turn. */
  template: templateSchema(["passage", "question"], "Passage:\n{passage}\n\nQuestion: {question}\nVerdict:"),
});

/** What a domain needs of its own: which passages are asked about, and how. */
export const domainConfigSchema = z.strictObject({
  name: z.string().min(1),
  /** The documents' language, by name or code: questions and answers are asked for in it. Told from each passage when left out. */
  language: z.string().trim().min(1).optional(),
  passage_filter: filterSchema.default({ min_words: 0, url_weights: [] }),
  question_prompt: questionPromptSchema,
  /** Shares of kinds of questions, such as `{ full: 0.7, keywords: 0.3 }`; all are full questions when left out. */
  question_kinds: questionKindsSchema.optional(),
  /** What is asked for instead of our own words, by kind; `full` is `question_prompt`. */
  question_kind_instructions: z.partialRecord(z.enum(QUESTION_KINDS).exclude(["full"]), z.string().min(1)).optional(),
  answer_prompt: answerPromptSchema,
  /** What a generator is trained to say where its passages hold no answer (train-generator --no_answer_share), and test-e2e knows such answers by. */
  no_answer_text: z.string().trim().min(1).optional(),
  /** The judge of gen-questions' filter `answerable`. */
  answerability_prompt: answerabilityPromptSchema.prefault({ instruction: ANSWERABILITY_INSTRUCTION }),
});

export type DomainConfig = z.infer<typeof domainConfigSchema>;
