import { type ChatTurn, type Document, retrievalQuery } from "@rag-ft/core";
import { type CompletionUsage, checkReply, readCompletion } from "@rag-ft/llm";
import type { MetadataFilter, Retriever } from "@rag-ft/retrieval";
import type { Generator } from "./generator.js";

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

export interface AskOptions {
  /** The dialogue before the question; its last user turns are searched by too (`retrievalQuery`). */
  history?: readonly ChatTurn[];
  /** Passages in the prompt. */
  limit?: number;
  /** Only from passages whose metadata fits. */
  filter?: MetadataFilter;
  signal?: AbortSignal;
}

/** An answer with what it was made of. */
export interface SystemAnswer {
  text: string;
  /** `stop`, `length` (cut at the most tokens of an answer), or as the provider names it. */
  finish_reason: string;
  /** The passages of the prompt, best first. */
  passages: FoundPassage[];
  /** Passages that were found and had no room in the prompt. */
  dropped_passages: number;
  /** Wall time of the generator's part, in seconds. */
  seconds: number;
  usage?: CompletionUsage;
}

/** What happens while a question is answered: first its passages, then the text piece by piece, at last the whole. */
export type AnswerEvent =
  | { type: "passages"; passages: FoundPassage[] }
  | { type: "text"; text: string }
  | { type: "answer"; answer: SystemAnswer };

/** A retriever and a generator that answer questions together. */
export interface RagSystem {
  /** Passages for a question, best first. */
  search(question: string, options?: SearchOptions): Promise<FoundPassage[]>;
  /**
   * Retrieves, and answers greedily from what was found.
   *
   * @throws CompletionError when the generator fails, or a model behind an API says nothing; CancelledError on the signal.
   */
  ask(question: string, options?: AskOptions): Promise<SystemAnswer>;
  /** The same while it happens. An iteration that is left early stops the generator. */
  stream(question: string, options?: AskOptions): AsyncGenerator<AnswerEvent, void, undefined>;
  close(): Promise<void>;
}

export interface RagParts {
  retriever: Retriever & { close?(): Promise<void> };
  generator: Generator;
  /** Passages in the prompt, where a call does not say. */
  limit: number;
}

/** Makes one system of its parts, which it closes. */
export function createRagSystem({ retriever, generator, limit: usual }: RagParts): RagSystem {
  const search = async (
    question: string,
    { limit = usual, ...options }: SearchOptions = {},
  ): Promise<FoundPassage[]> => {
    const { offset, filter, signal } = options;
    const [found] = await retriever.retrieve([question], limit, { offset, filter, signal });
    return (found?.documents ?? []).map((document, i) => ({
      document,
      id: found?.ids[i] as number,
      score: found?.scores[i] as number,
    }));
  };
  const searchInDialogue = (question: string, options: AskOptions): Promise<FoundPassage[]> =>
    search(retrievalQuery({ question, chat_history: options.history }), options);
  const answerFrom = async (
    question: string,
    passages: FoundPassage[],
    { history = [], signal }: AskOptions,
    onText?: (piece: string) => void,
  ): Promise<SystemAnswer> => {
    const documents = passages.map(({ document }) => document);
    const prepared = generator.prepare({ question, history, passages: documents });
    const startedAt = performance.now();
    const completion = await prepared.send({ ...(signal ? { signal } : {}), ...(onText ? { onText } : {}) });
    // A decoder in this process may well say nothing: that is its answer.
    const { text, finish_reason, usage } =
      generator.provider === "local" ? readCompletion(completion) : checkReply(completion, generator.identity);
    return {
      text: text.trim(),
      finish_reason,
      passages: passages.slice(0, passages.length - prepared.dropped),
      dropped_passages: prepared.dropped,
      seconds: (performance.now() - startedAt) / 1000,
      ...(usage ? { usage } : {}),
    };
  };
  return {
    search,
    async ask(question, options = {}) {
      return answerFrom(question, await searchInDialogue(question, options), options);
    },
    async *stream(question, options = {}) {
      const passages = await searchInDialogue(question, options);
      yield { type: "passages", passages };
      const left = new AbortController();
      const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
      const pieces: string[] = [];
      let wake = (): void => {};
      const answer = answerFrom(question, passages, { ...options, signal }, (piece) => {
        pieces.push(piece);
        wake();
      });
      let ended = false;
      const end = (): void => {
        ended = true;
        wake();
      };
      answer.then(end, end);
      try {
        while (!ended || pieces.length > 0) {
          const text = pieces.splice(0).join("");
          if (text !== "") yield { type: "text", text };
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
        yield { type: "answer", answer: await answer };
      } finally {
        left.abort();
        await answer.catch(() => undefined);
      }
    },
    async close() {
      await generator.close();
      await retriever.close?.();
    },
  };
}
