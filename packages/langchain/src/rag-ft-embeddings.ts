import { Embeddings, type EmbeddingsParams } from "@langchain/core/embeddings";
import type { RagSearch } from "@rag-ft/answer";

export interface RagFtEmbeddingsParams extends EmbeddingsParams {
  /** What `openRag` or `openSearch` opened; who opened it closes it. */
  system: Pick<RagSearch, "embed">;
}

/** Vectors of the retriever's encoder, each text with the prefix of its kind. */
export class RagFtEmbeddings extends Embeddings {
  private readonly system: Pick<RagSearch, "embed">;

  constructor({ system, ...params }: RagFtEmbeddingsParams) {
    super(params);
    this.system = system;
  }

  /** Vectors of passages, a text each. */
  override async embedDocuments(documents: string[]): Promise<number[][]> {
    return (await this.system.embed(documents, "passage")).map((vector) => Array.from(vector));
  }

  /** The vector of a question. */
  override async embedQuery(question: string): Promise<number[]> {
    const [vector] = await this.system.embed([question], "query");
    return Array.from(vector ?? []);
  }
}
