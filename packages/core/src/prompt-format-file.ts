import { join } from "node:path";
import { z } from "zod";
import { writeJsonAtomic } from "./atomic.js";
import { DataError } from "./errors.js";
import { describeIssues } from "./jsonl.js";
import { readTextIfThere } from "./paths.js";
import type { AnyPrompt, PromptFormat, TemplatePrompt } from "./rag-prompt.js";

/** Name of the file that keeps a checkpoint's prompt format. */
export const PROMPT_FORMAT_FILE = "rag_ft_prompt.json";

const promptFormatSchema: z.ZodType<PromptFormat> = z.object({
  system_text: z.string(),
  system_prefix: z.string(),
  sep_system: z.string(),
  user_prefix: z.string(),
  assistant_prefix: z.string(),
  sep_user: z.string(),
  sep_sys: z.string(),
  no_answer_text: z.string().optional(),
  citations: z.boolean().optional(),
});

const templatePromptSchema: z.ZodType<TemplatePrompt> = z.object({
  prompt: z.literal("chat_template"),
  system_text: z.string(),
  enable_thinking: z.boolean(),
  no_answer_text: z.string().optional(),
  citations: z.boolean().optional(),
});

const isTemplate = (value: unknown): boolean => typeof value === "object" && value !== null && "prompt" in value;

/** How a generator was asked in training; undefined when the folder (or its file) is not there. */
export async function readPromptFormat(folder: string): Promise<AnyPrompt | undefined> {
  const path = join(folder, PROMPT_FORMAT_FILE);
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: not valid JSON. Expected a prompt format; write it anew by train-generator.`, {
      cause,
    });
  }
  const parsed = isTemplate(value) ? templatePromptSchema.safeParse(value) : promptFormatSchema.safeParse(value);
  if (!parsed.success) {
    throw new DataError(`${path}: not a prompt format: ${describeIssues(parsed.error)}.`, { cause: parsed.error });
  }
  return parsed.data;
}

/** Keeps the prompt format beside a generator's weights, so that test and use build the prompt as training did. */
export async function writePromptFormat(folder: string, format: AnyPrompt): Promise<void> {
  await writeJsonAtomic(join(folder, PROMPT_FORMAT_FILE), format);
}
