import { isEmbeddingModelName, type OpenLanguageModelOptions } from "@rag-ft/llm";
import { openEncoder } from "@rag-ft/models";
import { keepingEncoder } from "./kept/keeping-encoder.js";
import { openOpenAiEncoder } from "./openai-encoder.js";
import type { PassageEncoder } from "./passage-encoder.js";

/** `device`: for an encoder that runs here; `requests` and `tally`: budgets, retries and the bill of one that is asked over the API. */
export type OpenPassageEncoderOptions = Pick<
  OpenLanguageModelOptions,
  "env" | "reporter" | "signal" | "device" | "requests" | "tally"
> & {
  /** Index that keeps the vectors of an encoder that is paid for, those of questions too; none are kept without it. */
  keepIn?: string | undefined;
};

/** Opens a retriever by name: `text-embedding-…` over the OpenAI API, anything else a folder or hub id of an encoder. */
export async function openPassageEncoder(
  name: string,
  { keepIn, ...options }: OpenPassageEncoderOptions,
): Promise<PassageEncoder> {
  if (!isEmbeddingModelName(name)) return openEncoder(name, options);
  const encoder = await openOpenAiEncoder(name, options);
  return keepIn === undefined ? encoder : keepingEncoder(encoder, keepIn);
}
