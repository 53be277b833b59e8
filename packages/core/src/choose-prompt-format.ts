import { defaultPromptFormat, type PromptFormat } from "./rag-prompt.js";

const FORMAT_KEYS = Object.keys(defaultPromptFormat) as (keyof PromptFormat)[];

/** The format saved with the checkpoint, or ours; flags that were given overrule single parts of it. */
export function choosePromptFormat(
  saved: PromptFormat | undefined,
  flags: Partial<Record<keyof PromptFormat, string>>,
): PromptFormat {
  const given = FORMAT_KEYS.filter((key) => flags[key] !== undefined).map((key) => [key, flags[key]]);
  return { ...(saved ?? defaultPromptFormat), ...Object.fromEntries(given) };
}
