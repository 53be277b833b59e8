import {
  AutoModelForCausalLM,
  type DeviceType,
  random,
  StoppingCriteria,
  Tensor,
  env as transformersEnv,
} from "@huggingface/transformers";
import { UserError } from "@rag-ft/core";
import type { TokenModel, TokenRequest } from "./token-model.js";

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

/** Runs tasks one after the other: the sampler's seed is global, and one generation uses all cores anyway. */
function createQueue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}

/** Asks a request's watch after every token; keeps what it throws until the generation has ended. */
class WatchedGeneration extends StoppingCriteria {
  failure: { error: unknown } | undefined;
  readonly #request: TokenRequest;
  readonly #began = performance.now();

  constructor(request: TokenRequest) {
    super();
    this.#request = request;
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** One sequence: `inputIds` is `[1, tokens]`, prompt included. */
  override _call(inputIds: number[][]): boolean[] {
    const made = (inputIds[0] ?? []).slice(this.#request.prompt.length).map(Number);
    let isOver = true;
    try {
      isOver = this.#request.watch(made, this.seconds);
    } catch (error) {
      this.failure = { error };
    }
    return inputIds.map(() => isOver);
  }
}

/**
 * A decoder run by transformers.js in fp32, one text after the other: for a folder that has an ONNX graph of an architecture that is not ours, or no
 * safetensors, and for devices other than the CPU.
 */
export async function openTransformersModel(folder: string, device: string): Promise<TokenModel> {
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
  const model = await load();
  const queue = createQueue();
  return {
    concurrency: 1,
    continue: (request) =>
      queue(async () => {
        const { prompt, room, ends, temperature, seed } = request;
        const watched = new WatchedGeneration(request);
        if (request.watch([], 0)) return { made: [], seconds: 0 };
        random.seed(seed);
        const shape = [1, prompt.length];
        const output = (await model.generate({
          input_ids: new Tensor("int64", BigInt64Array.from(prompt, BigInt), shape),
          attention_mask: new Tensor("int64", new BigInt64Array(prompt.length).fill(1n), shape),
          ...AS_ASKED,
          max_new_tokens: room,
          ...(ends.length > 0 ? { eos_token_id: [...ends] } : {}),
          stopping_criteria: watched,
          ...(temperature > 0 ? { do_sample: true, temperature, top_k: 0, top_p: 1 } : { do_sample: false }),
        })) as unknown as { tolist(): bigint[][] };
        if (watched.failure) throw watched.failure.error;
        const made = (output.tolist()[0] ?? []).slice(prompt.length).map(Number);
        return { made, seconds: watched.seconds };
      }),
    close: async () => {
      await model.dispose();
    },
  };
}
