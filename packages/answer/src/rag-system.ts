import { type ChatTurn, retrievalQuery, UserError } from "@rag-ft/core";
import { type CompletionUsage, checkReply, readCompletion } from "@rag-ft/llm";
import type { MetadataFilter } from "@rag-ft/retrieval";
import type { FollowUps } from "./follow-ups.js";
import type { Generator, PreparedRequest } from "./generator.js";
import { createRagSearch, type FoundPassage, type RagSearch, type SearchParts } from "./rag-search.js";

export interface AskOptions {
  /** The dialogue before the question; its last user turns are searched by too (`retrievalQuery`). */
  history?: readonly ChatTurn[];
  /** Passages in the prompt. */
  limit?: number;
  /** Only from passages whose metadata fits. */
  filter?: MetadataFilter;
  signal?: AbortSignal;
  /** Tokens of the answer, at most; as the generator was opened when left out. */
  max_new_tokens?: number;
  /** 0 is greedy, and what is taken when left out. */
  temperature?: number;
  /** Strings that end the answer, which has none of them. */
  stop?: readonly string[];
}

/** An answer with what it was made of. */
export interface SystemAnswer {
  text: string;
  /** `stop`, `length` (cut at the most tokens of an answer), or as the provider names it. */
  finish_reason: string;
  /** The passages of the prompt, best first. */
  passages: FoundPassage[];
  /** What was searched by: the question, or in a dialogue what `FollowUps` makes of it. */
  query: string;
  /** Passages that were found and had no room in the prompt. */
  dropped_passages: number;
  /** Turns of the dialogue, its oldest, that had no room in the prompt. */
  dropped_turns?: number;
  /** Wall time of the generator's part, in seconds. */
  seconds: number;
  usage?: CompletionUsage;
}

/** What happens while a question is answered: first its passages, then the text piece by piece, at last the whole. */
export type AnswerEvent =
  | { type: "passages"; passages: FoundPassage[]; query: string }
  | { type: "text"; text: string }
  | { type: "answer"; answer: SystemAnswer };

/** A retriever and a generator that answer questions together. */
export interface RagSystem extends RagSearch {
  /** Where answers are made: in this process, one after the other, or behind an API. */
  readonly provider: Generator["provider"];
  /** Answers at once that suit the generator, where it says. */
  readonly concurrency: number | undefined;
  /**
   * Retrieves, and answers greedily from what was found.
   *
   * @throws CompletionError when the generator fails, or a model behind an API says nothing; CancelledError on the signal.
   */
  ask(question: string, options?: AskOptions): Promise<SystemAnswer>;
  /** The same while it happens. An iteration that is left early stops the generator. */
  stream(question: string, options?: AskOptions): AsyncGenerator<AnswerEvent, void, undefined>;
}

export interface RagParts extends SearchParts {
  generator: Generator;
  /** `turns` when left out. */
  followUps?: FollowUps | undefined;
}

/** @throws UserError when the generator is none that can rewrite. */
function rewriterOf(generator: Generator): NonNullable<Generator["rewrite"]> {
  if (generator.rewrite) return generator.rewrite;
  throw new UserError(
    "follow_ups rewrite: this generator was trained on one prompt and rewrites no questions. Use follow_ups turns, or a chat model.",
  );
}

/** A question ready to be sent, with the passages of its prompt. */
interface Found {
  passages: FoundPassage[];
  query: string;
  prepared: PreparedRequest;
}

/** Makes one system of its parts, which it closes. */
export function createRagSystem({ generator, followUps, ...searched }: RagParts): RagSystem {
  const rewrite = followUps === "rewrite" ? rewriterOf(generator) : undefined;
  const found = createRagSearch(searched);
  const queryOf = async (question: string, { history = [], signal }: AskOptions): Promise<string> => {
    const turns = retrievalQuery({ question, chat_history: history });
    if (!rewrite || history.length === 0) return turns;
    const { text } = checkReply(await rewrite({ question, history }, signal), generator.identity);
    return text.trim() === "" ? turns : text.trim();
  };
  const find = async (question: string, options: AskOptions): Promise<Found> => {
    const query = await queryOf(question, options);
    const passages = await found.search(query, options);
    const documents = passages.map(({ document }) => document);
    const prepared = generator.prepare({ question, history: options.history ?? [], passages: documents });
    return { query, prepared, passages: passages.slice(0, passages.length - prepared.dropped) };
  };
  const answerFrom = async (
    { passages, query, prepared }: Found,
    { signal, max_new_tokens, temperature, stop }: AskOptions,
    onText?: (piece: string) => void,
  ): Promise<SystemAnswer> => {
    const startedAt = performance.now();
    const completion = await prepared.send({
      ...(signal ? { signal } : {}),
      ...(onText ? { onText } : {}),
      ...(max_new_tokens === undefined ? {} : { max_new_tokens }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(stop === undefined ? {} : { stop }),
    });
    // A decoder in this process may well say nothing: that is its answer.
    const { text, finish_reason, usage } =
      generator.provider === "local" ? readCompletion(completion) : checkReply(completion, generator.identity);
    return {
      text: text.trim(),
      finish_reason,
      passages,
      query,
      dropped_passages: prepared.dropped,
      ...(prepared.droppedTurns > 0 ? { dropped_turns: prepared.droppedTurns } : {}),
      seconds: (performance.now() - startedAt) / 1000,
      ...(usage ? { usage } : {}),
    };
  };
  return {
    get documents() {
      return found.documents;
    },
    search: found.search,
    embed: found.embed,
    refresh: found.refresh,
    provider: generator.provider,
    concurrency: generator.concurrency,
    async ask(question, options = {}) {
      return answerFrom(await find(question, options), options);
    },
    async *stream(question, options = {}) {
      const ready = await find(question, options);
      yield { type: "passages", passages: ready.passages, query: ready.query };
      const left = new AbortController();
      const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
      const pieces: string[] = [];
      let wake = (): void => {};
      const answer = answerFrom(ready, { ...options, signal }, (piece) => {
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
      await found.close();
    },
  };
}
