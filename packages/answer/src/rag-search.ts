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
  /** Told how many tokens the texts have; an encoder behind an API does not say. */
  onTokens?: (tokens: number) => void;
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
  /**
   * Reads the database anew and embeds what is new in it; searches go on in the old one until the new one is whole. Places change with it.
   *
   * @throws UserError, DataError where it cannot be read: the old one stays.
   */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

type SearchRetriever = Retriever & Partial<Pick<OpenedRetriever, "dense" | "close">>;

export interface SearchParts {
  retriever: SearchRetriever;
  /** Passages wanted, where a call does not say. */
  limit: number;
  /** Opens the database as it is now; without it, it cannot be refreshed. */
  reopen?: () => Promise<SearchRetriever>;
}

/** A retriever while it is used: one that was replaced closes when the last that searches it is done. */
class Held {
  private users = 0;
  private retired = false;

  constructor(readonly retriever: SearchRetriever) {}

  async use<T>(work: (retriever: SearchRetriever) => Promise<T>): Promise<T> {
    this.users++;
    try {
      return await work(this.retriever);
    } finally {
      this.users--;
      await this.closeIfDone();
    }
  }

  async retire(): Promise<void> {
    this.retired = true;
    await this.closeIfDone();
  }

  private async closeIfDone(): Promise<void> {
    if (this.retired && this.users === 0) await this.retriever.close?.();
  }
}

/** Makes a search of a retriever, which it closes. */
export function createRagSearch({ retriever, limit: usual, reopen }: SearchParts): RagSearch {
  let held = new Held(retriever);
  return {
    get documents() {
      return held.retriever.documents;
    },
    search(question, { limit = usual, offset, filter, signal } = {}) {
      return held.use(async (searched) => {
        const [found] = await searched.retrieve([question], limit, { offset, filter, signal });
        return (found?.documents ?? []).map((document, i) => ({
          document,
          id: found?.ids[i] as number,
          score: found?.scores[i] as number,
        }));
      });
    },
    embed(texts, kind = "query", { signal, onTokens } = {}) {
      return held.use(async ({ dense }) => {
        if (!dense) {
          throw new UserError(
            "This system searches by words (retrieval bm25) and has no encoder open: no vectors. Open it with retrieval dense or hybrid.",
          );
        }
        const { encoder } = dense;
        const vectors = await encoder.embed(texts, kind, { signal, onTokens });
        const { dimensions } = encoder;
        return texts.map((_, i) => vectors.slice(i * dimensions, (i + 1) * dimensions));
      });
    },
    async refresh() {
      if (!reopen) throw new UserError("This system was made of parts in memory: there is no file to read anew.");
      const next = new Held(await reopen());
      const before = held;
      held = next;
      await before.retire();
    },
    close: () => held.retire(),
  };
}
