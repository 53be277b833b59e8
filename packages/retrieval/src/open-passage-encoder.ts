import { isEmbeddingModelName, type OpenLanguageModelOptions } from "@rag-ft/llm";
import { openEncoder } from "@rag-ft/models";
import { openOpenAiEncoder } from "./openai-encoder.js";
import type { PassageEncoder } from "./passage-encoder.js";

/** `device`: for an encoder that runs here; `requests` and `tally`: budgets, retries and the bill of one that is asked over the API. */
export type OpenPassageEncoderOptions = Pick<
  OpenLanguageModelOptions,
  "env" | "reporter" | "signal" | "device" | "requests" | "tally"
>;

/** Opens a retriever by name: `text-embedding-…` over the OpenAI API, anything else a folder or hub id of an encoder. */
export async function openPassageEncoder(name: string, options: OpenPassageEncoderOptions): Promise<PassageEncoder> {
  return isEmbeddingModelName(name) ? openOpenAiEncoder(name, options) : openEncoder(name, options);
}
