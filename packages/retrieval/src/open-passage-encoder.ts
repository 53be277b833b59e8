import { UserError } from "@rag-ft/core";
import { isEmbeddingModelName, type OpenLanguageModelOptions } from "@rag-ft/llm";
import { openEncoder } from "@rag-ft/models";
import { keepingEncoder } from "./kept/keeping-encoder.js";
import { openOpenAiEncoder } from "./openai-encoder.js";
import type { PassageEncoder } from "./passage-encoder.js";

/** `device`, `truncateDim`: for an encoder that runs here; `requests` and `tally`: budgets, retries and the bill of one that is asked over the API. */
export type OpenPassageEncoderOptions = Pick<
  OpenLanguageModelOptions,
  "env" | "reporter" | "signal" | "device" | "requests" | "tally"
> & {
  /** Index that keeps the vectors of an encoder that is paid for, those of questions too; none are kept without it. */
  keepIn?: string | undefined;
  /** Vectors are cut to so many entries; as saved with the model when left out. */
  truncateDim?: number | undefined;
};

/** Opens a retriever by name: `text-embedding-…` over the OpenAI API, anything else a folder or hub id of an encoder. */
export async function openPassageEncoder(
  name: string,
  { keepIn, truncateDim, ...options }: OpenPassageEncoderOptions,
): Promise<PassageEncoder> {
  if (!isEmbeddingModelName(name))
    return openEncoder(name, { ...options, overrides: truncateDim === undefined ? {} : { truncate_dim: truncateDim } });
  if (truncateDim !== undefined) {
    throw new UserError(`truncate_dim is for encoders that run here, but ${name} is asked over an API. Leave it out.`);
  }
  const encoder = await openOpenAiEncoder(name, options);
  return keepIn === undefined ? encoder : keepingEncoder(encoder, keepIn);
}
