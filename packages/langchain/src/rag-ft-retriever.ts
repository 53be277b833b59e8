import type { CallbackManagerForRetrieverRun } from "@langchain/core/callbacks/manager";
import { Document } from "@langchain/core/documents";
import { BaseRetriever, type BaseRetrieverInput } from "@langchain/core/retrievers";
import { type RagSearch, type SearchOptions, sourceData } from "@rag-ft/answer";

export interface RagFtRetrieverInput extends BaseRetrieverInput, Pick<SearchOptions, "limit" | "filter"> {
  /** What `openRag` or `openSearch` opened; who opened it closes it. */
  system: Pick<RagSearch, "search">;
}

/** Passages for a question as the system finds them (by vectors, words or both), best first, with their `score` in the metadata. */
export class RagFtRetriever extends BaseRetriever {
  static override lc_name(): string {
    return "RagFtRetriever";
  }

  override lc_namespace = ["rag_ft", "retrievers"];
  private readonly system: Pick<RagSearch, "search">;
  private readonly searching: Pick<SearchOptions, "limit" | "filter">;

  constructor({ system, limit, filter, ...fields }: RagFtRetrieverInput) {
    super(fields);
    this.system = system;
    this.searching = { ...(limit === undefined ? {} : { limit }), ...(filter === undefined ? {} : { filter }) };
  }

  override async _getRelevantDocuments(
    question: string,
    _runManager?: CallbackManagerForRetrieverRun,
  ): Promise<Document[]> {
    const found = await this.system.search(question, this.searching);
    return found.map((passage) => {
      const { id, score, text } = sourceData(passage);
      return new Document({ id, pageContent: text, metadata: { ...passage.document.metadata, score } });
    });
  }
}
