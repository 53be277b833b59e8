import { isLocalName, type ReplySchema, type RequestSettings } from "@rag-ft/llm";

/** A reply with two questions. */
const QUESTION_SCHEMA: ReplySchema = {
  name: "questions",
  schema: {
    type: "object",
    properties: {
      questions: {
        type: "array",
        description: "Two questions, each without a label and with a question mark at its end.",
        items: { type: "string" },
      },
    },
    required: ["questions"],
    additionalProperties: false,
  },
};

/** The schema to ask for; undefined for a model in this process, which nothing can hold to it. */
export function questionSchema(
  settings: Pick<RequestSettings, "structured_outputs"> & { prompt_model: string },
): ReplySchema | undefined {
  return settings.structured_outputs === "auto" && !isLocalName(settings.prompt_model) ? QUESTION_SCHEMA : undefined;
}
