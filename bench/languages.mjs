// Documentation in any language through the whole flow, by the built command: pnpm bench languages --texts FOLDER. Questions and answers come from a server of
// the project's tests, which makes them of the passages' sentences; the models are tiny and know no such language: an encoder of random weights and
// data/models/tiny-decoder, both with a tokenizer of bytes. So it shows that each stage works, what it takes, and that training helps; not how good it gets.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRandom, formatTable } from "../packages/core/dist/index.js";
import { writeSafetensors } from "../packages/models/dist/index.js";
import { startOpenAiServer } from "../packages/test-utils/dist/index.js";
import { runWatched } from "./stages.mjs";
import { cores, flags, missing, processor, tinyModel, withFolder } from "./tools.mjs";

if (!flags.texts) missing("Name a folder of Markdown: --texts FOLDER.");
const steps = flags.quick ? 4 : 160;
const DECODER = tinyModel("decoder");
const WIDTH = 192;
const CONFIG = {
  architectures: ["Qwen3Model"],
  model_type: "qwen3",
  attention_bias: false,
  hidden_act: "silu",
  hidden_size: WIDTH,
  intermediate_size: 2 * WIDTH,
  head_dim: 32,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  pad_token_id: 0,
  eos_token_id: 2,
  tie_word_embeddings: true,
  vocab_size: 5632,
};

/** An encoder of random weights with the decoder's tokenizer of bytes, pooled by the mean. */
async function writeEncoder(folder) {
  mkdirSync(join(folder, "1_Pooling"), { recursive: true });
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) copyFileSync(join(DECODER, name), join(folder, name));
  const json = (name, value) => writeFileSync(join(folder, name), JSON.stringify(value));
  json("config.json", CONFIG);
  json("modules.json", [
    { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" },
    { idx: 1, name: "1", path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
  ]);
  json("1_Pooling/config.json", { word_embedding_dimension: WIDTH, pooling_mode_mean_tokens: true });
  const random = createRandom(1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const tensors = new Map();
  const add = (name, shape, value) =>
    tensors.set(name, { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, value) });
  const { hidden_size: width, head_dim: head, num_attention_heads: heads, num_key_value_heads: groups } = CONFIG;
  add("embed_tokens.weight", [CONFIG.vocab_size, width], () => normal() * 0.05);
  for (let layer = 0; layer < CONFIG.num_hidden_layers; layer++) {
    const at = (name) => `layers.${layer}.${name}.weight`;
    for (const name of ["input_layernorm", "post_attention_layernorm"]) add(at(name), [width], () => 1);
    for (const name of ["q_norm", "k_norm"]) add(at(`self_attn.${name}`), [head], () => 1);
    const products = {
      "self_attn.q_proj": [heads * head, width],
      "self_attn.k_proj": [groups * head, width],
      "self_attn.v_proj": [groups * head, width],
      "self_attn.o_proj": [width, heads * head],
      "mlp.gate_proj": [CONFIG.intermediate_size, width],
      "mlp.up_proj": [CONFIG.intermediate_size, width],
      "mlp.down_proj": [width, CONFIG.intermediate_size],
    };
    for (const [name, dims] of Object.entries(products)) add(at(name), dims, () => normal() * 0.05);
  }
  add("norm.weight", [width], () => 1);
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
}

const sentences = (text) =>
  text
    .split(/(?<=[。！？.!?])\s*|\n+/u)
    .map((one) => one.replace(/^[#>*\-\s]+/u, "").trim())
    .filter((one) => [...one].length >= 12 && !/[`<{|]/.test(one));
/** What a question of ours asks about: the beginning of a sentence. */
const subject = (sentence) => [...sentence].slice(0, 14).join("");

/** Two questions about sentences of the passage, or the sentence that a question is about. */
function reply(body) {
  const text = body.messages.at(-1)?.content ?? "";
  const asked = /「(.+?)」/gu;
  const about = [...text.matchAll(asked)].at(-1)?.[1];
  const found = sentences(text.slice(text.indexOf("Content:")));
  const answer = about && found.find((one) => one.startsWith(about) && !one.includes(`「${about}」`));
  if (answer) return answer;
  const [first, second = first] = [found[0], found[Math.floor(found.length / 2)]];
  if (!first) return "None.";
  return `Question 1: 「${subject(first)}」？\nQuestion 2: 「${subject(second)}」？`;
}

async function flow(folder) {
  const server = await startOpenAiServer({ reply });
  const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-bench-000000000" };
  const at = (...names) => join(folder, ...names);
  await writeEncoder(at("encoder"));
  const documents = at("documents.jsonl");
  const rows = [];
  const stage = async (name, settings, shown = name) => {
    const { seconds, cpu, mb, said } = await runWatched(folder, name, settings, env);
    rows.push({ stage: shown, seconds, CPU: cpu, MB: mb });
    return said;
  };
  const asked = { prompt_model: "gpt-test", save_dir: at("q") };
  await stage("prepare-docs", {
    document_path: flags.texts,
    include: "**/*.md",
    tokenizer: DECODER,
    chunk_size: 512,
    chunk_overlap_size: 0,
    save_dir: folder,
  });
  const counts = { num_train_data: 600, num_eval_test_data: 200, filters: "duplicates" };
  console.log(await stage("gen-questions", { document_path: documents, ...counts, ...asked }));
  await stage("gen-answers", { dataset_w_q: at("q"), prompt_model: "gpt-test", save_dir: at("qa") });
  await stage("audit-splits", { dataset_w_q: at("q") });
  const split = (kind, name) => at(kind, `${name}_w_${kind}.jsonl`);
  const training = { full_dataset_file_path: documents, max_steps: steps, eval_steps: steps / 4 };
  const encoder = { max_seq_length: 512, per_device_train_batch_size: 16, learning_rate: 1e-3, hard_neg_ratio: 1 };
  console.log(
    await stage("train-retriever", {
      ...training,
      ...encoder,
      model_path: at("encoder"),
      train_file: split("q", "train"),
      eval_file: split("q", "eval"),
      output_dir: at("retriever"),
    }),
  );
  console.log(
    await stage("train-generator", {
      ...training,
      model_name_or_path: DECODER,
      embedding_model: at("retriever"),
      retrieval: "hybrid",
      embedding_max_num_to_retrieve: 1,
      train_file: split("qa", "train"),
      eval_file: split("qa", "eval"),
      learning_rate: 1e-3,
      per_device_train_batch_size: 4,
      output_dir: at("generator"),
    }),
  );
  const systems = { base: [at("encoder"), DECODER], tuned: [at("retriever"), at("generator")] };
  for (const [label, [embedding, decoder]] of Object.entries(systems))
    console.log(
      await stage(
        "test-e2e",
        {
          label,
          retrieval: "hybrid",
          embedding_model_name_or_path: embedding,
          qa_model_name_or_path: decoder,
          document_path: documents,
          eval_data_path: split("qa", "test"),
          embedding_max_num_to_retrieve: 1,
          max_new_tokens: 96,
          output_dir: at(label),
        },
        `test-e2e, ${label}`,
      ),
    );
  await server.close();
  const scores = Object.keys(systems).map((label) => JSON.parse(readFileSync(at(label, "score.json"), "utf8")));
  return { rows, scores };
}

const { rows, scores } = await withFolder(flow);
console.log(formatTable(rows, ["stage", "seconds", "CPU", "MB"]));
const figures = Object.keys(scores[0]).filter((name) => typeof scores[0][name] === "number" && name in scores[1]);
console.log(
  formatTable(
    figures.map((figure) => ({ figure, base: scores[0][figure], tuned: scores[1][figure] })),
    ["figure", "base", "tuned"],
  ),
);
console.log(JSON.stringify({ bench: "languages", processor, cores, steps, stages: rows }));
