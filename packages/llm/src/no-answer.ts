import { z } from "zod";
import { readDomainConfig } from "./read-domain-config.js";

/** What a generator is trained to say where its passages hold no answer, unless a domain or a flag says otherwise. */
export const NO_ANSWER_TEXT = "The documentation does not say.";

/** Settings that say how a refusal is worded. */
export const noAnswerSettings = {
  no_answer_text: z
    .string()
    .trim()
    .min(1)
    .optional()
    .describe(
      `What is said where the passages hold no answer; default: the domain config's no_answer_text, else as saved with the model, else "${NO_ANSWER_TEXT}"`,
    ),
  config: z.string().optional().describe("Domain config (YAML), of which no_answer_text is read"),
};

/** The sentence that flags or the domain config give; undefined without either. */
export async function noAnswerText(settings: {
  no_answer_text?: string | undefined;
  config?: string | undefined;
}): Promise<string | undefined> {
  if (settings.no_answer_text !== undefined) return settings.no_answer_text;
  return settings.config === undefined ? undefined : (await readDomainConfig(settings.config)).no_answer_text;
}
