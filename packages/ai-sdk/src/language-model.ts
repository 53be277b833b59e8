import { randomUUID } from "node:crypto";
import {
  type LanguageModelV4,
  type LanguageModelV4CallOptions,
  type LanguageModelV4FinishReason,
  type LanguageModelV4Source,
  type LanguageModelV4StreamPart,
  type LanguageModelV4Usage,
  type SharedV4Warning,
  UnsupportedFunctionalityError,
} from "@ai-sdk/provider";
import { type AskOptions, type FoundPassage, type RagSystem, type SystemAnswer, sourceData } from "@rag-ft/answer";
import { leftOut, ragFtOptions } from "./call-options.js";
import { PROVIDER } from "./provider-name.js";
import { readPrompt } from "./read-prompt.js";

interface ReadCall {
  question: string;
  options: AskOptions;
  warnings: SharedV4Warning[];
}

/** @throws UnsupportedFunctionalityError where a reply without the feature would be taken for one with it. */
function refuseWhatCannotBe({ tools, responseFormat }: LanguageModelV4CallOptions): void {
  if (tools?.length) {
    throw new UnsupportedFunctionalityError({
      functionality: "tools",
      message: "tools: a rag-ft system answers from its passages, and calls none. Leave them out.",
    });
  }
  if (responseFormat?.type === "json") {
    throw new UnsupportedFunctionalityError({
      functionality: "responseFormat json",
      message: "responseFormat json: a rag-ft system answers in text. Ask for text.",
    });
  }
}

function readCall(call: LanguageModelV4CallOptions): ReadCall {
  refuseWhatCannotBe(call);
  const { prompt, maxOutputTokens, temperature, abortSignal, providerOptions } = call;
  const { question, history, instructed } = readPrompt(prompt);
  const { limit, filter } = ragFtOptions(providerOptions);
  const { stopSequences, topP, topK, presencePenalty, frequencyPenalty, seed } = call;
  return {
    question,
    options: {
      history,
      ...(abortSignal ? { signal: abortSignal } : {}),
      ...(maxOutputTokens === undefined ? {} : { max_new_tokens: maxOutputTokens }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(limit === undefined ? {} : { limit }),
      ...(filter === undefined ? {} : { filter }),
    },
    warnings: [
      ...leftOut(
        { "system messages": instructed },
        "the instruction is the one that the system was opened with (system_text)",
      ),
      ...leftOut(
        { stopSequences, topP, topK, presencePenalty, frequencyPenalty, seed },
        "it is left out: the system answers as it was opened",
      ),
    ],
  };
}

/** The passage with its score and text in `providerMetadata.ragFt`. */
function sourceOf(passage: FoundPassage): LanguageModelV4Source {
  const { id, url, title, source, score, text } = sourceData(passage);
  const providerMetadata = { ragFt: { score, source, text } };
  const shown = title ?? source;
  return url === undefined
    ? { type: "source", sourceType: "document", id, mediaType: "text/markdown", title: shown, providerMetadata }
    : { type: "source", sourceType: "url", id, url, title: shown, providerMetadata };
}

function finishReasonOf({ finish_reason: raw }: SystemAnswer): LanguageModelV4FinishReason {
  const known = { stop: "stop", length: "length", content_filter: "content-filter" } as const;
  return { unified: raw in known ? known[raw as keyof typeof known] : "other", raw };
}

/** Tokens as the generator counts them; a generator that does not say leaves them open. */
function usageOf({ usage }: SystemAnswer): LanguageModelV4Usage {
  return {
    inputTokens: { total: usage?.prompt_tokens, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: usage?.completion_tokens, text: usage?.completion_tokens, reasoning: undefined },
  };
}

/** What is told at the end of an answer. */
function endOf(answer: SystemAnswer) {
  return {
    finishReason: finishReasonOf(answer),
    usage: usageOf(answer),
    providerMetadata: { ragFt: { query: answer.query, droppedPassages: answer.dropped_passages } },
  };
}

const responseOf = (modelId: string) => ({ id: randomUUID(), timestamp: new Date(), modelId });

/** An answer as the SDK's parts; what fails is the last of them. */
async function* partsOf(
  system: Pick<RagSystem, "stream">,
  modelId: string,
  { question, options, warnings }: ReadCall,
): AsyncGenerator<LanguageModelV4StreamPart, void, undefined> {
  yield { type: "stream-start", warnings };
  yield { type: "response-metadata", ...responseOf(modelId) };
  const id = "answer";
  let begun = false;
  try {
    for await (const event of system.stream(question, options)) {
      if (event.type === "passages") yield* event.passages.map(sourceOf);
      else if (event.type === "text") {
        if (!begun) yield { type: "text-start", id };
        begun = true;
        yield { type: "text-delta", id, delta: event.text };
      } else {
        if (begun) yield { type: "text-end", id };
        yield { type: "finish", ...endOf(event.answer) };
      }
    }
  } catch (error) {
    yield { type: "error", error };
  }
}

/** A stream of them; who cancels it stops the generator. */
function streamOf<T>(parts: AsyncGenerator<T, void, undefined>): ReadableStream<T> {
  return new ReadableStream<T>({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await parts.return();
    },
  });
}

/** The whole system as a language model: it retrieves for the last message and answers from what was found, which come as sources. */
export function ragFtLanguageModel(system: Pick<RagSystem, "ask" | "stream">, modelId: string): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: PROVIDER,
    modelId,
    supportedUrls: {},
    async doGenerate(call) {
      const { question, options, warnings } = readCall(call);
      const answer = await system.ask(question, options);
      return {
        content: [
          ...answer.passages.map(sourceOf),
          ...(answer.text ? [{ type: "text" as const, text: answer.text }] : []),
        ],
        ...endOf(answer),
        response: responseOf(modelId),
        warnings,
      };
    },
    async doStream(call) {
      return { stream: streamOf(partsOf(system, modelId, readCall(call))) };
    },
  };
}
