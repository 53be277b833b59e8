// LoRA on a random Llama with its frozen weights in fp32, fp16 and bf16: seconds a step, tokens a second, peak memory. --sizes
// hidden,inner,layers,heads,groups,vocabulary; default: 1.04 B parameters.
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  answerLoss,
  decoderArchitecture,
  Parameters,
  randomWeights,
  writeSafetensors,
} from "../packages/models/dist/index.js";
import { worker } from "./measure.mjs";
import { flags, processor, tinyModel, wholeNumber, withFolder } from "./tools.mjs";

const [hidden, inner, layers, heads, groups, vocabulary] = (flags.sizes ?? "2048,8192,16,32,8,32000")
  .split(",")
  .map(Number);
const tokens = wholeNumber("number") ?? 256;
const sides = flags.only?.split(",") ?? ["fp32", "fp16", "bf16"];

/** Weights of 16 bits on disk, as such models are published. */
async function makeModel(folder) {
  const config = {
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    hidden_act: "silu",
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: groups,
    vocab_size: vocabulary,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  for (const name of ["tokenizer.json", "tokenizer_config.json"])
    copyFileSync(join(tinyModel("decoder"), name), join(folder, name));
  const parameters = new Parameters();
  answerLoss(decoderArchitecture(config, folder).read(config, folder), parameters);
  await writeSafetensors(join(folder, "model.safetensors"), randomWeights(parameters, 1), { dtype: "F16" });
  return parameters.entries().reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

await withFolder(async (folder) => {
  const parameters = await makeModel(folder);
  console.log(
    `${(parameters / 1e9).toFixed(2)} B parameters, a sequence of ${tokens} tokens, LoRA of rank 16 on all linear layers`,
  );
  const results = {};
  for (const base of sides) {
    results[base] = worker(folder, "base-dtype.mjs", { model: folder, base, tokens });
    const { seconds, peak_rss_mb, loaded_rss_mb, losses } = results[base];
    console.log(
      `${base}: steps of ${seconds.map((s) => s.toFixed(1)).join(", ")} s, ${(tokens / Math.min(...seconds)).toFixed(0)} tokens/s, ${loaded_rss_mb} MB loaded, peak ${peak_rss_mb} MB, losses ${losses.map((loss) => loss.toFixed(5)).join(", ")}`,
    );
  }
  console.log(JSON.stringify({ bench: "base-dtype", parameters, tokens, results, processor }));
});
