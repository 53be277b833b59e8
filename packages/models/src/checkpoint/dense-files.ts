import { join } from "node:path";
import { DataError, UserError, writeJsonAtomic } from "@rag-ft/core";
import { z } from "zod";
import type { DenseLayer } from "../encoder/sentence-head.js";
import { loadWeights } from "../weights/load-weights.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { readOptional } from "./read-optional.js";

/** Activations of Dense modules, by the names of PyTorch's classes. */
const CLASSES: Record<DenseLayer["activation"], string> = {
  identity: "torch.nn.modules.linear.Identity",
  gelu: "torch.nn.modules.activation.GELU",
  gelu_new: "",
  gelu_pytorch_tanh: "",
  relu: "torch.nn.modules.activation.ReLU",
  sigmoid: "torch.nn.modules.activation.Sigmoid",
  silu: "torch.nn.modules.activation.SiLU",
  tanh: "torch.nn.modules.activation.Tanh",
};
const KNOWN = (Object.keys(CLASSES) as DenseLayer["activation"][]).filter((name) => CLASSES[name] !== "");

const denseSchema = z.looseObject({
  in_features: z.number().int().positive(),
  out_features: z.number().int().positive(),
  bias: z.boolean().default(true),
  activation_function: z.string().default(CLASSES.tanh),
  use_residual: z.boolean().default(false),
  module_input_name: z.string().default("sentence_embedding"),
  module_output_name: z.string().nullish(),
});

/** Reads the config of a Dense module in a folder of the model's. */
export async function readDenseConfig(model: string, folder: string): Promise<DenseLayer> {
  const path = join(model, folder, "config.json");
  const config = await readOptional(path, denseSchema);
  if (!config)
    throw new UserError(`${path}: no such file, but modules.json lists a Dense module there. Copy the model whole.`);
  const activation = KNOWN.find(
    (name) => CLASSES[name].split(".").at(-1) === config.activation_function.split(".").at(-1),
  );
  if (!activation) {
    const known = KNOWN.map((name) => CLASSES[name]).join(", ");
    throw new UserError(
      `${path}: activation_function ${JSON.stringify(config.activation_function)} is not supported, expected one of ${known}.`,
    );
  }
  const { module_input_name: from, module_output_name: to } = config;
  if (config.use_residual) throw new UserError(`${path}: use_residual true is not supported, expected false.`);
  if (from !== "sentence_embedding" || (to ?? from) !== from) {
    throw new UserError(
      `${path}: module_input_name ${from} to ${to ?? from} is not supported, expected sentence_embedding.`,
    );
  }
  return { folder, inputs: config.in_features, outputs: config.out_features, bias: config.bias, activation };
}

/** Writes what `readDenseConfig` reads. */
export async function writeDenseConfig(model: string, layer: DenseLayer): Promise<void> {
  await writeJsonAtomic(join(model, layer.folder, "config.json"), {
    in_features: layer.inputs,
    out_features: layer.outputs,
    bias: layer.bias,
    activation_function: CLASSES[layer.activation],
  });
}

/** The weights of Dense modules, named `<folder>.linear.weight` and `.bias`. */
export async function loadDenseWeights(
  model: string,
  layers: readonly DenseLayer[],
): Promise<Map<string, WeightTensor>> {
  const weights = new Map<string, WeightTensor>();
  for (const { folder } of layers) {
    for (const [name, tensor] of await loadWeights(join(model, folder))) weights.set(`${folder}.${name}`, tensor);
  }
  return weights;
}

/** Writes the weights of Dense modules to their folders; returns those that are left. */
export async function saveDenseWeights(
  model: string,
  layers: readonly DenseLayer[],
  weights: ReadonlyMap<string, WeightTensor>,
): Promise<Map<string, WeightTensor>> {
  const rest = new Map(weights);
  for (const { folder, bias } of layers) {
    const own = new Map<string, WeightTensor>();
    for (const name of ["linear.weight", ...(bias ? ["linear.bias"] : [])]) {
      const tensor = weights.get(`${folder}.${name}`);
      if (!tensor) throw new DataError(`${folder}: the weight ${name} is missing.`);
      own.set(name, tensor);
      rest.delete(`${folder}.${name}`);
    }
    await writeSafetensors(join(model, folder, "model.safetensors"), own);
  }
  return rest;
}
