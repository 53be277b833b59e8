import { UserError } from "@rag-ft/core";
import { isEmbeddingModelName, type OpenLanguageModelOptions } from "@rag-ft/llm";
import { openEncoder, type Precision, precisionHere } from "@rag-ft/models";
import { keepingEncoder } from "./kept/keeping-encoder.js";
import { openOpenAiEncoder } from "./openai-encoder.js";
import type { PassageEncoder } from "./passage-encoder.js";

/** `device`, `truncateDim`, `precision`: for an encoder that runs here; `requests` and `tally`: budgets, retries and the bill of one that is asked over the API. */
export type OpenPassageEncoderOptions = Pick<
  OpenLanguageModelOptions,
  "env" | "reporter" | "signal" | "device" | "requests" | "tally"
> & {
  /** Index that keeps the vectors of an encoder that is paid for, those of questions too; none are kept without it. */
  keepIn?: string | undefined;
  /** Vectors are cut to so many entries; as saved with the model when left out. */
  truncateDim?: number | undefined;
  /** How an encoder that runs here multiplies; fp32 when left out, or where the processor has no bf16. */
  precision?: Precision | undefined;
};

/** Opens a retriever by name: `text-embedding-…` over the OpenAI API, anything else a folder or hub id of an encoder. */
export async function openPassageEncoder(
  name: string,
  { keepIn, truncateDim, precision: wanted = "fp32", ...options }: OpenPassageEncoderOptions,
): Promise<PassageEncoder> {
  if (!isEmbeddingModelName(name)) {
    const precision = precisionHere(wanted, options.device ?? "cpu", options.reporter);
    const overrides = truncateDim === undefined ? {} : { truncate_dim: truncateDim };
    return openEncoder(name, { ...options, precision, overrides });
  }
  for (const [setting, isGiven] of [
    ["truncate_dim", truncateDim !== undefined],
    ["precision", wanted !== "fp32"],
  ])
    if (isGiven)
      throw new UserError(`${setting} is for encoders that run here, but ${name} is asked over an API. Leave it out.`);
  const encoder = await openOpenAiEncoder(name, options);
  return keepIn === undefined ? encoder : keepingEncoder(encoder, keepIn);
}
