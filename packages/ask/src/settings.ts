import { systemSettings } from "@rag-ft/answer";
import { flag } from "@rag-ft/core";
import { z } from "zod";

/** Settings of `ask`. */
export const askSettings = z.object({
  question: z
    .string()
    .regex(/\S/, "a question has words")
    .optional()
    .describe("what is asked; without it, questions are read from the terminal"),
  ...systemSettings,
  chat: flag()
    .default(false)
    .describe(
      "go on with more questions from the terminal, a line each, as one dialogue; an empty line or Ctrl-D ends it",
    ),
  json: flag()
    .default(false)
    .describe(
      "print each answer as one line of JSON, with its passages: question, answer, finish_reason, passages, seconds",
    ),
});

export type AskSettings = z.infer<typeof askSettings>;
