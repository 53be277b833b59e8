// An architecture of one's own: an encoder that turns each word's vector by a linear layer, and pools. From a folder like any other model.
//
//     node packages/models/examples/own-architecture.mjs
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { silentReporter } from "@rag-ft/core";
import { openEncoder, Parameters, parseConfig, randomWeights, writeSafetensors } from "@rag-ft/models";
import { concat, gather, intConstant, reshape, shapeOf, tanh } from "@rag-ft/onnx";
import { z } from "zod";

const configSchema = z.looseObject({
  vocab_size: z.number().int().positive(),
  hidden_size: z.number().int().positive(),
});

/** Hidden states [batch, tokens, hidden]. Weights are asked for by the names that they have in model.safetensors. */
function wordsGraph({ vocab_size, hidden_size }, parameters, { ids }) {
  const words = gather(parameters.get("words.weight", [vocab_size, hidden_size]), ids);
  const turned = tanh(parameters.linear(reshape(words, ["rows", hidden_size]), "turn", hidden_size, hidden_size));
  return reshape(turned, ["batch", "tokens", hidden_size], concat([shapeOf(ids), intConstant([hidden_size])], 0));
}

export const words = {
  modelTypes: ["words"],
  weightPrefixes: [],
  hasTokenTypes: false,
  read(raw, folder) {
    const config = parseConfig(configSchema, raw, folder);
    return {
      dimensions: config.hidden_size,
      maxTokens: 512,
      hiddenStates: (parameters, inputs) => wordsGraph(config, parameters, inputs),
    };
  },
};

// A folder: config.json, model.safetensors, tokenizer.json.
const folder = await mkdtemp(join(tmpdir(), "rag-ft-example-"));
const config = { model_type: "words", vocab_size: 6144, hidden_size: 16 };
await writeFile(join(folder, "config.json"), JSON.stringify(config));
const parameters = new Parameters();
wordsGraph(config, parameters, { ids: intConstant([0], [1, 1]) });
await writeSafetensors(join(folder, "model.safetensors"), randomWeights(parameters, 1));
const tokenizers = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
for (const name of ["tokenizer.json", "tokenizer_config.json"])
  await copyFile(join(tokenizers, name), join(folder, name));

const encoder = await openEncoder(folder, { env: process.env, reporter: silentReporter, architectures: [words] });
export const vectors = await encoder.embed(
  ["a timeout of ten seconds", "ten seconds of a timeout", "the colour"],
  "passage",
);
export const cosine = (a, b) =>
  vectors.subarray(a * 16, a * 16 + 16).reduce((sum, value, i) => sum + value * vectors[b * 16 + i], 0);
console.log(`cosines: the same words ${cosine(0, 1).toFixed(4)}, other words ${cosine(0, 2).toFixed(4)}`);
await encoder.close();
await rm(folder, { recursive: true });
