import type { z } from "zod";
import { ANSWERABILITY_INSTRUCTION } from "./answerability-instruction.js";
import type { domainConfigSchema } from "./domain-config.js";

/** Used when no domain config is named; configs/domains/default.yaml says the same. */
export const defaultDomain: z.input<typeof domainConfigSchema> = {
  name: "default",
  passage_filter: { min_words: 30, url_weights: [] },
  question_prompt: {
    instruction:
      "You help to build a test for a documentation search. Read the passage and write two different questions that somebody who has not seen it could ask and that it answers. Name the product, function or setting that a question is about, so that it can be understood without the passage. Do not copy whole sentences. Each question stands on a line of its own and ends with a question mark: first 'Question 1: ...', then 'Question 2: ...'.",
    examples: [],
  },
  answer_prompt: {
    instruction:
      "Answer the question from the passage, in one to three complete sentences. Keep to what the passage says, name commands and settings exactly as it does, and do not mention the passage itself. If the passage does not hold the answer, reply only: Not in the passage.",
    examples: [],
    not_in_passage: "Not in the passage.",
  },
  answerability_prompt: {
    instruction: ANSWERABILITY_INSTRUCTION,
  },
};
