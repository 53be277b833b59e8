import type { RerankSettings, RetrievalSettings } from "@rag-ft/retrieval";
import type { FollowUps } from "./follow-ups.js";
import type { GeneratorSettings } from "./generator-settings.js";

/** Where a database and its retriever are; the names are those of test-e2e's settings. */
export interface OpenSearchOptions extends Partial<RetrievalSettings>, RerankSettings {
  /** Document database: documents.jsonl, or the reference's .pkl. */
  document_path: string;
  /** The retriever: a folder or hub id of an encoder, or `text-embedding-…`. */
  embedding_model_name_or_path: string;
  /** Folder that keeps the passages' vectors; without it they are made at every opening. */
  index_path?: string;
  /** Passages in the prompt; 4 when left out. */
  embedding_max_num_to_retrieve?: number;
  /** Execution provider of a local encoder. */
  device?: string;
}

/** With what answers. */
export interface OpenRagOptions extends OpenSearchOptions, Partial<Omit<GeneratorSettings, "device">> {
  /** The generator: a folder or hub id of a decoder, or a model behind the OpenAI API. */
  qa_model_name_or_path: string;
  /** Of a dialogue; when left out, `rewrite` with a chat model behind an API, else `turns`. */
  follow_ups?: FollowUps;
}
