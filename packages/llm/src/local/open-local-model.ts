import { resolve } from "node:path";
import {
  AutoModelForCausalLM,
  type DeviceType,
  random,
  Tensor,
  env as transformersEnv,
} from "@huggingface/transformers";
import { CancelledError, type Reporter, UserError } from "@rag-ft/core";
import {
  ensureOnnxDecoder,
  loadChatFormat,
  loadTokenizer,
  requireDevice,
  resolveModelFolder,
  withinVocabulary,
} from "@rag-ft/models";
import { CompletionError } from "../completion-error.js";
import { cutAtStop } from "../cut-at-stop.js";
import type { ChatMessage, Completion, CompletionOptions, LanguageModel } from "../language-model.js";
import { TextStream } from "../text-stream.js";
import { GenerationWatch } from "./generation-watch.js";
import { shownText } from "./shown-text.js";

export interface LocalModelOptions {
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  /** Execution provider of ONNX Runtime; the CPU by default. */
  device?: string;
}

/** Runs tasks one after the other: the sampler's seed is global, and one generation uses all cores anyway. */
function createQueue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}

/** The settings of a model's generation_config that change the text are overruled: options alone decide, and greedy is greedy. */
const AS_ASKED: object = {
  repetition_penalty: 1,
  no_repeat_ngram_size: 0,
  min_length: 0,
  min_new_tokens: null,
  bad_words_ids: null,
  suppress_tokens: null,
  begin_suppress_tokens: null,
  forced_bos_token_id: null,
  forced_eos_token_id: null,
  guidance_scale: null,
  num_beams: 1,
  num_return_sequences: 1,
};

/** One text for models without a chat template: the messages' contents, apart by blank lines. */
function joinMessages(messages: readonly ChatMessage[]): string {
  return messages.map((message) => message.content).join("\n\n");
}

/**
 * A decoder run by transformers.js in fp32. `folderOrId` is a folder (offline) or a hub id (downloaded by our
 * own hub client); a folder that holds only safetensors gets its ONNX graph from our engine first.
 */
export async function openLocalModel(
  name: string,
  folderOrId: string,
  { env, reporter, device = "cpu" }: LocalModelOptions,
): Promise<LanguageModel> {
  await requireDevice(device);
  const found = resolve(await resolveModelFolder(folderOrId, { env, reporter, files: "all" }));
  const folder = resolve(await ensureOnnxDecoder(found, reporter, env));
  // An absolute path is read as it is; nothing is looked for on the network.
  transformersEnv.allowRemoteModels = false;
  const load = async () => {
    try {
      return await AutoModelForCausalLM.from_pretrained(folder, {
        local_files_only: true,
        dtype: "fp32",
        device: device as DeviceType,
      });
    } catch (cause) {
      throw new UserError(
        `${folder}: a decoder is expected here, but transformers.js cannot load this folder as one (${cause instanceof Error ? cause.message : String(cause)}). It needs config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx.`,
        { cause },
      );
    }
  };
  // Tokenizer and template are those that training uses: the same tokens in both.
  const ownTokenizer = await loadTokenizer(found);
  const chat = await loadChatFormat(found, ownTokenizer);
  const model = await load();
  const { max_position_embeddings: limit, vocab_size: size } = model.config as {
    max_position_embeddings?: number;
    vocab_size?: number;
  };
  const tokenizer = size === undefined ? ownTokenizer : withinVocabulary(ownTokenizer, size, folder);
  const queue = createQueue();
  const declared = [
    model.generation_config?.eos_token_id ?? (model.config as { eos_token_id?: unknown }).eos_token_id ?? [],
  ].flat() as number[];
  const ends = [...new Set([...declared, ...(chat?.endIds ?? [])])];
  const endsItself = (id: number | undefined): boolean => id !== undefined && ends.includes(id);

  const run = async (prompt: string, templated: boolean, options: CompletionOptions): Promise<Completion> => {
    if (options.signal?.aborted) throw new CancelledError("Stopped on request.");
    // A chat template writes the special tokens itself.
    const ids = tokenizer.encode(prompt, { special: !templated });
    const promptTokens = ids.length;
    if (promptTokens === 0) throw new CompletionError(`${name}: the prompt is empty.`);
    if (limit !== undefined && promptTokens >= limit)
      throw new CompletionError(
        `${name}: the prompt has ${promptTokens} tokens, the model takes at most ${limit} with the answer. Use smaller passages (prepare-docs --chunk_size), fewer of them, or a model with a longer context.`,
      );
    const room = limit === undefined ? options.max_new_tokens : Math.min(options.max_new_tokens, limit - promptTokens);
    const decode = (some: readonly bigint[]): string => tokenizer.decode(some.map(Number));
    const shown = (some: readonly bigint[]): string => shownText(tokenizer, some.map(Number));
    const stream = options.onText && new TextStream(options.onText, options.stop);
    const watch = new GenerationWatch(promptTokens, decode, options, stream && ((some) => stream.grow(shown(some))));
    random.seed(options.seed ?? 0);
    const output = (await model.generate({
      input_ids: new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, promptTokens]),
      attention_mask: new Tensor("int64", new BigInt64Array(promptTokens).fill(1n), [1, promptTokens]),
      ...AS_ASKED,
      max_new_tokens: room,
      ...(ends.length > 0 ? { eos_token_id: ends } : {}),
      stopping_criteria: watch,
      ...(options.temperature > 0
        ? { do_sample: true, temperature: options.temperature, top_k: 0, top_p: 1 }
        : { do_sample: false }),
    })) as unknown as { tolist(): bigint[][] };
    if (watch.ended === "cancelled") throw new CancelledError("Stopped on request.");
    if (watch.ended === "timeout")
      throw new CompletionError(`${name}: no end of the answer within ${options.timeout_ms / 1000} s.`);
    const generated = (output.tolist()[0] ?? []).slice(promptTokens);
    const cut = cutAtStop(shown(generated), options.stop ?? []);
    // A stop string that is a special token (`<|im_end|>`) shows only with those decoded; it ends the text with its token.
    const text = cut.found || watch.ended !== "stop" ? cut.text : shown(generated.slice(0, -1));
    const cutShort = generated.length >= room && watch.ended !== "stop" && !endsItself(Number(generated.at(-1)));
    stream?.finish(text);
    return {
      text,
      finish_reason: cutShort ? "length" : "stop",
      usage: { prompt_tokens: promptTokens, completion_tokens: generated.length },
    };
  };

  return {
    name,
    provider: "local",
    complete: (messages, options) =>
      queue(() => {
        const { thinking } = options;
        return run(chat?.prompt(messages, { thinking }) ?? joinMessages(messages), chat !== undefined, options);
      }),
    generate: (prompt, options) => queue(() => run(prompt, false, options)),
    close: async () => {
      await model.dispose();
    },
  };
}
