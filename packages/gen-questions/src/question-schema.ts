import type { QuestionKind } from "@rag-ft/core";
import { isLocalName, KIND_SCHEMAS, type ReplySchema, type RequestSettings } from "@rag-ft/llm";

/** The schema to ask for; undefined for a model in this process, which nothing can hold to it. */
export function questionSchema(
  settings: Pick<RequestSettings, "structured_outputs"> & { prompt_model: string },
  kind: QuestionKind = "full",
): ReplySchema | undefined {
  return settings.structured_outputs === "auto" && !isLocalName(settings.prompt_model) ? KIND_SCHEMAS[kind] : undefined;
}
