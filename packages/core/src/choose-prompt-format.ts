import { type AnyPrompt, defaultPromptFormat, isTemplatePrompt, type PromptFormat } from "./rag-prompt.js";

const FORMAT_KEYS = Object.keys(defaultPromptFormat) as Exclude<keyof PromptFormat, "citations">[];

/** The flags that say how a generator is asked. */
export interface PromptFlags extends Partial<Record<Exclude<keyof PromptFormat, "citations">, string | undefined>> {
  enable_thinking?: boolean | undefined;
  citations?: boolean | undefined;
}

function givenParts(flags: PromptFlags): Partial<PromptFormat> {
  return Object.fromEntries(FORMAT_KEYS.filter((key) => flags[key] !== undefined).map((key) => [key, flags[key]]));
}

/** Whether a flag gives a part of the format itself; the instruction goes with every format. */
export function givesFormat(flags: PromptFlags): boolean {
  return FORMAT_KEYS.some((key) => key !== "system_text" && flags[key] !== undefined);
}

/** What goes with every format: as the flags say, else as saved with the checkpoint. */
function besides(saved: AnyPrompt | undefined, flags: PromptFlags): Pick<AnyPrompt, "no_answer_text" | "citations"> {
  const { no_answer_text = saved?.no_answer_text, citations = saved?.citations } = flags;
  return {
    ...(no_answer_text === undefined ? {} : { no_answer_text }),
    ...(citations === undefined ? {} : { citations }),
  };
}

/** The format saved with the checkpoint, or ours; flags that were given overrule single parts of it. */
export function choosePromptFormat(saved: PromptFormat | undefined, flags: PromptFlags): PromptFormat {
  return { ...(saved ?? defaultPromptFormat), ...givenParts(flags), ...besides(saved, flags) };
}

/**
 * How a generator is asked. Flags that give a part of the format mean the format of parts; else it is as saved with the checkpoint, else by the
 * model's chat template when it has one, else our format of parts.
 */
export function choosePrompt(saved: AnyPrompt | undefined, flags: PromptFlags, hasTemplate: boolean): AnyPrompt {
  const parts = saved && !isTemplatePrompt(saved) ? saved : undefined;
  if (parts || givesFormat(flags) || !hasTemplate) return choosePromptFormat(parts, flags);
  const template = saved && isTemplatePrompt(saved) ? saved : undefined;
  return {
    prompt: "chat_template",
    system_text: flags.system_text ?? template?.system_text ?? defaultPromptFormat.system_text,
    enable_thinking: flags.enable_thinking ?? template?.enable_thinking ?? false,
    ...besides(saved, flags),
  };
}
