import type { Reporter } from "@rag-ft/core";
import { openEncoder } from "@rag-ft/models";
import { isOpenAiEmbeddingName, openOpenAiEncoder } from "./openai-encoder.js";
import type { PassageEncoder } from "./passage-encoder.js";

export interface OpenPassageEncoderOptions {
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  signal?: AbortSignal;
  /** Execution provider of ONNX Runtime for an encoder that runs here; the CPU by default. */
  device?: string;
}

/** Opens a retriever by name: `text-embedding-…` over the OpenAI API, anything else a folder or hub id of an encoder. */
export async function openPassageEncoder(name: string, options: OpenPassageEncoderOptions): Promise<PassageEncoder> {
  return isOpenAiEmbeddingName(name) ? openOpenAiEncoder(name, options) : openEncoder(name, options);
}
