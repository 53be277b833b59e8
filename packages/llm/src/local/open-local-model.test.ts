import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledError, createRandom, silentReporter, writeJsonAtomic } from "@rag-ft/core";
import { loadDecoder, saveDecoder, type WeightTensor, writeSafetensors } from "@rag-ft/models";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cutAtStop } from "../cut-at-stop.js";
import type { LanguageModel } from "../language-model.js";
import { openLanguageModel } from "../open-language-model.js";

const WORDS = [
  "<s>",
  "</s>",
  ..."red green blue one two three four five six seven ask answer up down left right".split(" "),
];
const HIDDEN = 16;
const CONTEXT = 32;

/** A Llama with random weights and a tokenizer of whole words: a folder that holds only safetensors. */
async function writeTinyLlama(folder: string, seed = 7): Promise<void> {
  const random = createRandom(seed);
  const weight = (...shape: number[]): WeightTensor => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => (random.next() - 0.5) * 1.6),
  });
  const ones = (): WeightTensor => ({ shape: [HIDDEN], data: new Float32Array(HIDDEN).fill(1) });
  const layer = "model.layers.0";
  await writeSafetensors(
    join(folder, "model.safetensors"),
    new Map([
      ["model.embed_tokens.weight", weight(WORDS.length, HIDDEN)],
      [`${layer}.self_attn.q_proj.weight`, weight(HIDDEN, HIDDEN)],
      [`${layer}.self_attn.k_proj.weight`, weight(HIDDEN / 2, HIDDEN)],
      [`${layer}.self_attn.v_proj.weight`, weight(HIDDEN / 2, HIDDEN)],
      [`${layer}.self_attn.o_proj.weight`, weight(HIDDEN, HIDDEN)],
      [`${layer}.mlp.gate_proj.weight`, weight(HIDDEN, HIDDEN)],
      [`${layer}.mlp.up_proj.weight`, weight(HIDDEN, HIDDEN)],
      [`${layer}.mlp.down_proj.weight`, weight(HIDDEN, HIDDEN)],
      [`${layer}.input_layernorm.weight`, ones()],
      [`${layer}.post_attention_layernorm.weight`, ones()],
      ["model.norm.weight", ones()],
      ["lm_head.weight", weight(WORDS.length, HIDDEN)],
    ]),
  );
  await writeJsonAtomic(join(folder, "config.json"), {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: WORDS.length,
    hidden_size: HIDDEN,
    intermediate_size: HIDDEN,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    head_dim: HIDDEN / 2,
    hidden_act: "silu",
    max_position_embeddings: CONTEXT,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: false,
    bos_token_id: 0,
    eos_token_id: 1,
  });
  const special = (id: number, content: string) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  await writeJsonAtomic(join(folder, "tokenizer.json"), {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [special(0, "<s>"), special(1, "</s>")],
    normalizer: null,
    pre_tokenizer: { type: "WhitespaceSplit" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: false },
    model: {
      type: "WordPiece",
      vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])),
      unk_token: "<s>",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
    },
  });
  await writeJsonAtomic(join(folder, "tokenizer_config.json"), {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: "<s>",
    eos_token: "</s>",
    chat_template:
      "{% for m in messages %}ask {{ m['content'] }} {% endfor %}{% if add_generation_prompt %}answer{% if enable_thinking %} up{% endif %}{% endif %}",
  });
}

let folder: string;
let model: LanguageModel | undefined;
const open = (name: string): Promise<LanguageModel> =>
  openLanguageModel(name, { env: { RAG_FT_CACHE: join(folder, "cache") }, reporter: silentReporter });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "local-model-"));
  await writeTinyLlama(join(folder, "model"));
  model = await open(`local:${join(folder, "model")}`);
}, 60_000);
afterAll(async () => {
  await model?.close();
  await rm(folder, { recursive: true, force: true });
});

const greedy = { temperature: 0, max_new_tokens: 6, timeout_ms: 20_000 };
const messages = [{ role: "user" as const, content: "red blue" }];
const raw = async (prompt: string, options = {}) => {
  const completion = await model?.generate?.(prompt, { ...greedy, ...options });
  if (!completion) throw new Error("a local model takes raw prompts");
  return completion;
};

describe("openLocalModel", () => {
  it("runs a folder of safetensors, the chat template applied, greedy and repeatable", async () => {
    const first = await model?.complete(messages, greedy);
    // ask red blue answer
    expect(first?.usage?.prompt_tokens).toBe(4);
    expect(first?.text.split(" ").every((word) => WORDS.includes(word))).toBe(true);
    expect(await model?.complete(messages, greedy)).toEqual({ ...first, seconds: expect.any(Number) });
    expect((await raw("ask red blue answer")).text).toBe(first?.text);
  });

  it("ends at max_new_tokens, and at the model's last position", async () => {
    const all = await raw("one two three", { max_new_tokens: 5 });
    expect(all).toMatchObject({ finish_reason: "length", usage: { prompt_tokens: 3, completion_tokens: 5 } });
    const long = await raw(
      Array(CONTEXT - 2)
        .fill("one")
        .join(" "),
      { max_new_tokens: 50 },
    );
    expect(long.usage?.completion_tokens).toBeLessThanOrEqual(2);
  });

  it("stops at a stop string and cuts the text before it", async () => {
    // Sampled hot, so that the words differ.
    const hot = { temperature: 2, seed: 5, max_new_tokens: 10 };
    const words = (await raw("one two three", hot)).text.split(" ");
    const stop = words.find((word, index) => index > 0 && words.indexOf(word) === index);
    if (stop === undefined) throw new Error(`the model repeats one word: ${words}`);
    const cut = await raw("one two three", { ...hot, stop: ["zebra", stop] });
    expect(cut.text.trim()).toBe(words.slice(0, words.indexOf(stop)).join(" "));
    expect(cut.finish_reason).toBe("stop");
    expect(cut.usage?.completion_tokens).toBeLessThan(hot.max_new_tokens);
    expect(cutAtStop("a b c b", ["c", "b"])).toEqual({ text: "a ", found: true });
  });

  it("stops at a special token that is a stop string", async () => {
    let met = 0;
    for (let seed = 0; seed < 12; seed++) {
      const hot = { temperature: 2, seed, max_new_tokens: 10 };
      const [whole, cut] = [await raw("one two three", hot), await raw("one two three", { ...hot, stop: ["<s>"] })];
      const made = cut.usage?.completion_tokens ?? 0;
      if (made === whole.usage?.completion_tokens) continue;
      met++;
      expect(cut.finish_reason).toBe("stop");
      expect(cut.text.trim()).toBe(
        whole.text
          .trim()
          .split(" ")
          .slice(0, made - 1)
          .join(" "),
      );
    }
    expect(met).toBeGreaterThan(0);
  });

  it("hands the text on while it is made, and nothing of a stop string", async () => {
    const pieces: string[] = [];
    const onText = (piece: string): void => void pieces.push(piece);
    const hot = { temperature: 2, seed: 5, max_new_tokens: 10 };
    const whole = await raw("one two three", { ...hot, onText });
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.join("")).toBe(whole.text);
    const stop = whole.text.split(" ").at(-1) as string;
    pieces.length = 0;
    const cut = await raw("one two three", { ...hot, stop: [stop], onText });
    expect(pieces.join("")).toBe(cut.text);
    expect(cut.text).not.toContain(stop);
  });

  it("samples by seed", async () => {
    const sample = async (seed: number) => (await raw("up down", { temperature: 1.5, seed, max_new_tokens: 12 })).text;
    expect(await sample(1)).toBe(await sample(1));
    expect(new Set(await Promise.all([1, 2, 3, 4].map(sample))).size).toBeGreaterThan(1);
  });

  it("thinks when it is asked to, and not else", async () => {
    const tokens = async (options: object) => (await model?.complete(messages, { ...greedy, ...options }))?.usage;
    expect(await tokens({})).toMatchObject({ prompt_tokens: 4 });
    expect(await tokens({ thinking: true })).toMatchObject({ prompt_tokens: 5 });
  });

  it("texts of a dialogue are texts: a control token in one is none, and does not end the turn", async () => {
    const withControl = await model?.complete([{ role: "user", content: "red </s> <s> blue" }], greedy);
    // ask red (two unknown words) blue answer
    expect(withControl?.usage?.prompt_tokens).toBe(6);
  });

  it("is greedy when it is asked to be, whatever generation_config.json says", async () => {
    const expected = (await raw("one two three", { max_new_tokens: 12 })).text;
    const folderOfOwn = join(folder, "penalties");
    await writeTinyLlama(folderOfOwn);
    await writeJsonAtomic(join(folderOfOwn, "generation_config.json"), {
      eos_token_id: 1,
      do_sample: true,
      temperature: 5,
      repetition_penalty: 9.5,
      no_repeat_ngram_size: 1,
      min_new_tokens: 12,
      suppress_tokens: WORDS.flatMap((word, id) => (expected.split(" ").includes(word) ? [id] : [])),
      forced_eos_token_id: 1,
    });
    const other = await open(`local:${folderOfOwn}`);
    expect((await other.generate?.("one two three", { ...greedy, max_new_tokens: 12 }))?.text).toBe(expected);
    await other.close();
  });

  it("answers by the weights that are in the folder, not by a graph that was made of others", async () => {
    const path = join(folder, "replaced");
    await writeTinyLlama(path);
    const loaded = await loadDecoder(path, { env: {}, reporter: silentReporter });
    await saveDecoder(join(folder, "saved"), loaded);
    const say = async (name: string): Promise<string | undefined> => {
      const opened = await open(`local:${join(folder, name)}`);
      const completion = await opened.generate?.("one two three", { ...greedy, max_new_tokens: 12 });
      await opened.close();
      return completion?.text;
    };
    const before = await say("saved");
    expect(before).toBe(await say("replaced"));
    await writeTinyLlama(path, 8);
    const after = await say("replaced");
    expect(after).not.toBe(before);
    await cp(join(path, "model.safetensors"), join(folder, "saved", "model.safetensors"));
    expect(await say("saved")).toBe(after);
  });

  it("says what transformers.js says, many requests at once or one, and leaves to it a folder that has a graph alone", async () => {
    const loaded = await loadDecoder(join(folder, "model"), { env: {}, reporter: silentReporter });
    const path = join(folder, "graph");
    await saveDecoder(path, loaded);
    await rm(join(path, "model.safetensors"));
    const graph = await open(`local:${path}`);
    expect(graph.concurrency).toBe(1);
    expect(model?.concurrency).toBeGreaterThan(8);
    const words = WORDS.slice(2);
    const prompts = Array.from({ length: 20 }, (_, i) => words.slice(i % 7, 1 + i).join(" ") || "red");
    const options = { max_new_tokens: 9, stop: ["four"] };
    const together = await Promise.all(prompts.map((prompt) => raw(prompt, options)));
    expect(new Set(together.map(({ text }) => text)).size).toBeGreaterThan(3);
    for (const [i, prompt] of prompts.entries()) {
      const { seconds: _, ...expected } = (await graph.generate?.(prompt, { ...greedy, ...options })) ?? {};
      expect(together[i]).toMatchObject(expected);
      expect(await raw(prompt, options)).toMatchObject(expected);
    }
    await expect(graph.generate?.("one", { ...greedy, timeout_ms: -1 })).rejects.toThrow(/no end of the answer/);
    await expect(graph.generate?.("one", { ...greedy, signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
    await graph.close();
  });

  it("gives an answer up that is stopped on request while others are made", async () => {
    const stop = new AbortController();
    const onText = (): void => stop.abort();
    const hot = { temperature: 2, seed: 5, max_new_tokens: 20 };
    const [stopped, other] = await Promise.allSettled([
      raw("one two", { ...hot, signal: stop.signal, onText }),
      raw("one two", hot),
    ]);
    expect(stopped).toMatchObject({ status: "rejected", reason: expect.any(CancelledError) });
    expect(other.status).toBe("fulfilled");
  });

  it("explains a limit of memory that is no number", async () => {
    const env = { RAG_FT_ANSWER_GB: "much" };
    const opened = openLanguageModel(`local:${join(folder, "model")}`, { env, reporter: silentReporter });
    await expect(opened).rejects.toThrow(/RAG_FT_ANSWER_GB is "much": expected gigabytes/);
  });

  it("explains a prompt that is too long, an end of time, and a stop on request", async () => {
    await expect(raw(Array(CONTEXT).fill("one").join(" "))).rejects.toThrow(
      /32 tokens or more, the model takes at most 32/,
    );
    await expect(raw("one two", { timeout_ms: -1 })).rejects.toThrow(/no end of the answer/);
    await expect(raw("one two", { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(CancelledError);
    expect((await raw("one two")).text).not.toBe("");
  });

  it("explains names that lead to no model", async () => {
    await expect(open("local:")).rejects.toThrow(/is missing/);
    await expect(open("extractive")).rejects.toThrow(/not a model/);
    await mkdir(join(folder, "empty"));
    await expect(open(`local:${join(folder, "empty")}`)).rejects.toThrow(/config\.json/);
  });
});
