import { isLocalName, type ReplySchema, type RequestSettings } from "@rag-ft/llm";
import { parseQuestions } from "./parse-questions.js";

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

/** The questions of a reply, be it the JSON of the schema (in a fence or not) or lines of text. */
export function questionsOf(reply: string): string[] {
  const json = reply.trim().replace(/^```(?:json)?\s*|\s*```$/g, "");
  if (json.startsWith("{")) {
    try {
      const { questions } = JSON.parse(json) as { questions?: unknown };
      if (Array.isArray(questions)) {
        // Through the same rules as lines of text: labels off, a question mark at the end, nothing twice.
        const lines = questions
          .filter((item) => typeof item === "string")
          .flatMap((text) => parseQuestions(text)[0] ?? []);
        return parseQuestions(lines.map((text, i) => `Question ${i + 1}: ${text}`).join("\n"));
      }
    } catch {
      // Cut short, or no JSON after all: its lines may still hold a question.
    }
  }
  return parseQuestions(reply);
}
