import { chatTurnSchema, metadataSchema } from "@rag-ft/core";
import { z } from "zod";

const passageSchema = z.looseObject({ page_content: z.string(), metadata: metadataSchema });

/** What is needed of a line of predictions, whichever stage or program wrote it. */
export const rowSchema = z.looseObject({
  question: z.string(),
  gold_docs: z.array(passageSchema),
  retrieved_docs: z.array(passageSchema).optional(),
  chat_history: z.array(chatTurnSchema).optional(),
  gold_answer: z.string().optional(),
  generated_answer: z.string().optional(),
  question_id: z.string().optional(),
  figures: z.record(z.string(), z.number()).optional(),
  depth: z.number().optional(),
});

export type RunRow = z.infer<typeof rowSchema>;
