import { type Document, UserError } from "@rag-ft/core";
import type { TextKind } from "@rag-ft/models";
import type { MetadataFilter, OpenedRetriever, Retriever } from "@rag-ft/retrieval";

/** A passage that was found, best first. */
export interface FoundPassage {
  document: Document;
  /** Place in the database. */
  id: number;
  /** What the search ranks by. */
  score: number;
}

export interface SearchOptions {
  /** Passages wanted; as many as an answer gets when left out. */
  limit?: number;
  /** So many better ones are passed over: the start of a page. */
  offset?: number;
  /** Only passages whose metadata fits. */
  filter?: MetadataFilter;
  signal?: AbortSignal;
}

export interface EmbedTextsOptions {
  signal?: AbortSignal;
}

/** A database that is searched. */
export interface RagSearch {
  /** The database, in its order: `FoundPassage.id` is a place in it. */
  readonly documents: readonly Document[];
  /** Passages for a question, best first. */
  search(question: string, options?: SearchOptions): Promise<FoundPassage[]>;
  /**
   * Vectors of the retriever's encoder, a text each, with the prefix of its kind; of length 1 when the similarity is cosine.
   *
   * @throws UserError where the search is by words alone.
   */
  embed(texts: readonly string[], kind?: TextKind, options?: EmbedTextsOptions): Promise<Float32Array[]>;
  close(): Promise<void>;
}

export interface SearchParts {
  retriever: Retriever & Partial<Pick<OpenedRetriever, "dense" | "close">>;
  /** Passages wanted, where a call does not say. */
  limit: number;
}

/** Makes a search of a retriever, which it closes. */
export function createRagSearch({ retriever, limit: usual }: SearchParts): RagSearch {
  return {
    documents: retriever.documents,
    async search(question, { limit = usual, offset, filter, signal } = {}) {
      const [found] = await retriever.retrieve([question], limit, { offset, filter, signal });
      return (found?.documents ?? []).map((document, i) => ({
        document,
        id: found?.ids[i] as number,
        score: found?.scores[i] as number,
      }));
    },
    async embed(texts, kind = "query", { signal } = {}) {
      const encoder = retriever.dense?.encoder;
      if (!encoder) {
        throw new UserError(
          "This system searches by words (retrieval bm25) and has no encoder open: no vectors. Open it with retrieval dense or hybrid.",
        );
      }
      const vectors = await encoder.embed(texts, kind, { signal });
      const { dimensions } = encoder;
      return texts.map((_, i) => vectors.slice(i * dimensions, (i + 1) * dimensions));
    },
    async close() {
      await retriever.close?.();
    },
  };
}
