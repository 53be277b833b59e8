import { readDocuments, type StageContext, silentReporter } from "@rag-ft/core";
import { createRequestTally } from "@rag-ft/llm";
import { openPassageEncoder, openRetriever, type RetrievalSettings } from "@rag-ft/retrieval";
import type { GeneratorSettings } from "./generator-settings.js";
import { openGenerator } from "./open-generator.js";
import { createRagSystem, type RagSystem } from "./rag-system.js";

/** Where a system's parts are, and how it answers; the names are those of test-e2e's settings. */
export interface OpenRagOptions extends Partial<RetrievalSettings>, Partial<GeneratorSettings> {
  /** Document database: documents.jsonl, or the reference's .pkl. */
  document_path: string;
  /** The retriever: a folder or hub id of an encoder, or `text-embedding-…`. */
  embedding_model_name_or_path: string;
  /** The generator: a folder or hub id of a decoder, or a model behind the OpenAI API. */
  qa_model_name_or_path: string;
  /** Folder that keeps the passages' vectors; without it they are made at every opening. */
  index_path?: string;
  /** Passages in the prompt; 4 when left out. */
  embedding_max_num_to_retrieve?: number;
}

/** The values that test-e2e has, too. */
const DEFAULTS = { max_seq_length: 2048, max_new_tokens: 256, request_timeout: 300, seed: 0, device: "cpu" };

/**
 * Opens a tuned system: its database, retriever and generator, with the prompt format that the generator was trained on.
 *
 * @throws UserError, DataError where a part is missing or does not fit; nothing stays open then.
 */
export async function openRag(options: OpenRagOptions, context: Partial<StageContext> = {}): Promise<RagSystem> {
  const { reporter = silentReporter, signal = new AbortController().signal, env = process.env } = context;
  const settings = { retrieval: "dense" as const, ...DEFAULTS, ...options };
  const documents = await readDocuments(settings.document_path);
  const model = settings.embedding_model_name_or_path;
  const { device, index_path: indexPath } = settings;
  // The generator first: a wrong name or a missing key shows before the database is embedded.
  const whole = { env, reporter, signal };
  const { generator } = await openGenerator(settings, { ...whole, tally: createRequestTally() });
  try {
    const retriever = await openRetriever(documents, {
      settings,
      model,
      openEncoder: () => openPassageEncoder(model, { ...whole, device }),
      ...(indexPath === undefined ? {} : { indexPath }),
      reporter,
      signal,
    });
    return createRagSystem({ retriever, generator, limit: settings.embedding_max_num_to_retrieve ?? 4 });
  } catch (error) {
    await generator.close();
    throw error;
  }
}
