export type Loose = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Loose =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The text of `content`: a string, or a list of parts of which those of thoughts go (Mistral's reasoning models); what a part refuses stands apart. */
export function contentText(content: unknown): { text: string; thought: boolean; refusal?: string } {
  if (typeof content === "string") return { text: content, thought: false };
  const parts = Array.isArray(content) ? content : isObject(content) ? [content] : [];
  let thought = false;
  let refusal = "";
  const texts = parts.map((part) => {
    if (typeof part === "string") return part;
    if (!isObject(part)) return "";
    if (/think|reason/i.test(String(part.type ?? ""))) {
      thought = true;
      return "";
    }
    if (typeof part.refusal === "string") refusal += part.refusal;
    return typeof part.text === "string" ? part.text : "";
  });
  return { text: texts.join(""), thought, ...(refusal === "" ? {} : { refusal }) };
}
