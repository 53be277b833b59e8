import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { CancelledError, type Reporter } from "@rag-ft/core";
import {
  ensureOnnxDecoder,
  knownUses,
  loadChatFormat,
  loadTokenizer,
  readConfig,
  requireDevice,
  resolveModelFolder,
  type Tokenizer,
  withinVocabulary,
} from "@rag-ft/models";
import { CompletionError, PromptTooLong } from "../completion-error.js";
import { cutAtStop } from "../cut-at-stop.js";
import type { ChatMessage, Completion, CompletionOptions, LanguageModel } from "../language-model.js";
import { TextStream } from "../text-stream.js";
import { encodeUpTo } from "../tokens/encode-up-to.js";
import { declaredLimits } from "./declared-limits.js";
import { openOwnModel } from "./own-model.js";
import { shownText } from "./shown-text.js";
import type { TokenModel } from "./token-model.js";

export interface LocalModelOptions {
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  /** Execution provider of ONNX Runtime; the CPU by default. */
  device?: string;
}

/** One text for models without a chat template: the messages' contents, apart by blank lines. */
function joinMessages(messages: readonly ChatMessage[]): string {
  return messages.map((message) => message.content).join("\n\n");
}

/** Whether our own engine runs the model of a folder: it has safetensors of an architecture that is here. */
async function isOwn(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  return names.some((name) => name.endsWith(".safetensors")) && knownUses(await readConfig(folder)).decoder;
}

/** Our own engine is for the CPU; transformers.js runs the rest, and needs a graph for it. */
async function openTokenModel(
  folder: string,
  { env, reporter, device = "cpu" }: LocalModelOptions,
): Promise<TokenModel> {
  if (device === "cpu" && (await isOwn(folder))) return openOwnModel(folder, env, reporter);
  const exported = resolve(await ensureOnnxDecoder(folder, reporter, env));
  // Loaded only when it is needed: it is large.
  const { openTransformersModel } = await import("./transformers-model.js");
  return openTransformersModel(exported, device);
}

/** Watches a text grow for what may end it: its stop strings, its time, a wish to stop. */
function createWatch(
  name: string,
  tokenizer: Tokenizer,
  { stop = [], signal, timeout_ms }: CompletionOptions,
  stream: TextStream | undefined,
): { metStop(): boolean; watch(made: readonly number[], seconds: number): boolean } {
  let metStop = false;
  return {
    metStop: () => metStop,
    watch(made, seconds) {
      if (signal?.aborted) throw new CancelledError("Stopped on request.");
      if (seconds * 1000 > timeout_ms)
        throw new CompletionError(`${name}: no end of the answer within ${timeout_ms / 1000} s.`);
      if (made.length === 0) return false;
      metStop = stop.length > 0 && cutAtStop(tokenizer.decode(made), stop).found;
      if (!metStop) stream?.grow(shownText(tokenizer, made));
      return metStop;
    },
  };
}

/**
 * A decoder in this process, in fp32. `folderOrId` is a folder (offline) or a hub id (downloaded by our own hub client). Requests made at the same
 * time are answered together where our own engine runs the model (`openTokenModel`).
 */
export async function openLocalModel(
  name: string,
  folderOrId: string,
  options: LocalModelOptions,
): Promise<LanguageModel> {
  const { env, reporter, device = "cpu" } = options;
  await requireDevice(device);
  const folder = resolve(await resolveModelFolder(folderOrId, { env, reporter, files: "all" }));
  const { ends: declared, context, vocabulary } = await declaredLimits(folder);
  // Tokenizer and template are those that training uses: the same tokens in both.
  const whole = await loadTokenizer(folder);
  const tokenizer = vocabulary === undefined ? whole : withinVocabulary(whole, vocabulary, folder);
  const chat = await loadChatFormat(folder, whole);
  const model = await openTokenModel(folder, options);
  const ends = [...new Set([...declared, ...(chat?.endIds ?? [])])];

  const run = async (prompt: string, templated: boolean, options: CompletionOptions): Promise<Completion> => {
    if (options.signal?.aborted) throw new CancelledError("Stopped on request.");
    // A chat template writes the special tokens itself.
    const encode = (text: string): number[] => tokenizer.encode(text, { special: !templated });
    const ids = context === undefined ? encode(prompt) : encodeUpTo(encode, prompt, context);
    if (ids.length === 0) throw new CompletionError(`${name}: the prompt is empty.`);
    if (context !== undefined && ids.length >= context)
      throw new PromptTooLong(
        `${name}: the prompt has ${ids.length} tokens or more, the model takes at most ${context} with the answer. Ask a shorter question, use smaller passages (prepare-docs --chunk_size), fewer of them, or a model with a longer context.`,
      );
    const room = Math.min(options.max_new_tokens, (context ?? Number.POSITIVE_INFINITY) - ids.length);
    const stream = options.onText && new TextStream(options.onText, options.stop);
    const { watch, metStop } = createWatch(name, tokenizer, options, stream);
    const { temperature, seed = 0 } = options;
    const request = { prompt: ids, room, ends, temperature, seed, live: stream !== undefined, watch };
    const { made, seconds } = await model.continue(request);
    const cut = cutAtStop(shownText(tokenizer, made), options.stop ?? []);
    // A stop string that is a special token (`<|im_end|>`) shows only with those decoded; it ends the text with its token.
    const text = cut.found || !metStop() ? cut.text : shownText(tokenizer, made.slice(0, -1));
    const isCutShort = made.length >= room && !metStop() && !ends.includes(made.at(-1) ?? -1);
    stream?.finish(text);
    return {
      text,
      finish_reason: isCutShort ? "length" : "stop",
      usage: { prompt_tokens: ids.length, completion_tokens: made.length },
      seconds,
    };
  };

  return {
    name,
    provider: "local",
    concurrency: model.concurrency,
    complete: async (messages, options) => {
      const { thinking } = options;
      return run(chat?.prompt(messages, { thinking }) ?? joinMessages(messages), chat !== undefined, options);
    },
    generate: (prompt, options) => run(prompt, false, options),
    close: () => model.close(),
  };
}
