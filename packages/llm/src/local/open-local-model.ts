import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  type DeviceType,
  random,
  env as transformersEnv,
} from "@huggingface/transformers";
import { CancelledError, type Reporter, UserError } from "@rag-ft/core";
import { ensureOnnxDecoder, requireDevice, resolveModelFolder, unknownToken } from "@rag-ft/models";
import { CompletionError } from "../completion-error.js";
import { cutAtStop } from "../cut-at-stop.js";
import type { ChatMessage, Completion, CompletionOptions, LanguageModel } from "../language-model.js";
import { TextStream } from "../text-stream.js";
import { GenerationWatch } from "./generation-watch.js";

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
  const folder = resolve(
    existsSync(join(found, "onnx", "model.onnx")) ? found : await ensureOnnxDecoder(found, reporter, env),
  );
  // An absolute path is read as it is; nothing is looked for on the network.
  transformersEnv.allowRemoteModels = false;
  const load = async () => {
    try {
      const tokenizer = await AutoTokenizer.from_pretrained(folder, { local_files_only: true });
      const model = await AutoModelForCausalLM.from_pretrained(folder, {
        local_files_only: true,
        dtype: "fp32",
        device: device as DeviceType,
      });
      return { tokenizer, model };
    } catch (cause) {
      throw new UserError(
        `${folder}: a decoder is expected here, but transformers.js cannot load this folder as one (${cause instanceof Error ? cause.message : String(cause)}). It needs config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx.`,
        { cause },
      );
    }
  };
  const { tokenizer, model } = await load();
  const { max_position_embeddings: limit, vocab_size: size } = model.config as {
    max_position_embeddings?: number;
    vocab_size?: number;
  };
  const queue = createQueue();
  const ends = [
    model.generation_config?.eos_token_id ?? (model.config as { eos_token_id?: unknown }).eos_token_id,
  ].flat();
  const endsItself = (id: bigint | undefined): boolean => id !== undefined && ends.includes(Number(id));

  const run = async (prompt: string, templated: boolean, options: CompletionOptions): Promise<Completion> => {
    if (options.signal?.aborted) throw new CancelledError("Stopped on request.");
    // A chat template writes the special tokens itself.
    const inputs = tokenizer(prompt, { add_special_tokens: !templated });
    const promptTokens: number = inputs.input_ids.dims.at(-1) ?? 0;
    if (promptTokens === 0) throw new CompletionError(`${name}: the prompt is empty.`);
    if (limit !== undefined && promptTokens >= limit)
      throw new CompletionError(
        `${name}: the prompt has ${promptTokens} tokens, the model takes at most ${limit} with the answer. Use smaller passages (prepare-docs --chunk_size), fewer of them, or a model with a longer context.`,
      );
    const unknown = inputs.input_ids
      .tolist()
      .flat()
      .map(Number)
      .find((id: number) => size !== undefined && id >= size);
    if (unknown !== undefined && size !== undefined) {
      throw unknownToken(folder, tokenizer.decode([unknown]), unknown, size);
    }
    const room = limit === undefined ? options.max_new_tokens : Math.min(options.max_new_tokens, limit - promptTokens);
    const decode = (ids: readonly bigint[]): string =>
      tokenizer.decode(
        ids.map((id) => Number(id)),
        { skip_special_tokens: false, clean_up_tokenization_spaces: false },
      );
    const shown = (ids: readonly bigint[]): string =>
      ids.length === 0
        ? ""
        : tokenizer.decode(
            ids.map((id) => Number(id)),
            { skip_special_tokens: true, clean_up_tokenization_spaces: false },
          );
    const stream = options.onText && new TextStream(options.onText, options.stop);
    const watch = new GenerationWatch(promptTokens, decode, options, stream && ((ids) => stream.grow(shown(ids))));
    random.seed(options.seed ?? 0);
    const output = (await model.generate({
      ...inputs,
      max_new_tokens: room,
      stopping_criteria: watch,
      // Other settings of the model's generation_config are overruled, so that options alone decide.
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
    const cutShort = generated.length >= room && watch.ended !== "stop" && !endsItself(generated.at(-1));
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
        const templated = Boolean(tokenizer.chat_template);
        const prompt = templated
          ? String(
              tokenizer.apply_chat_template(
                messages.map((message) => ({ ...message })),
                { tokenize: false, add_generation_prompt: true },
              ),
            )
          : joinMessages(messages);
        return run(prompt, templated, options);
      }),
    generate: (prompt, options) => queue(() => run(prompt, false, options)),
    close: async () => {
      await model.dispose();
    },
  };
}
