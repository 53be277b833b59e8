import { gelu, geluTanh, relu, sigmoid, silu, tanh, type Value } from "@rag-ft/onnx";
import { z } from "zod";

/** Activations of feed-forward layers, by their names in `config.json`. */
export const ACTIVATIONS = {
  gelu,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  relu,
  sigmoid,
  silu,
  tanh,
} satisfies Record<string, (x: Value) => Value>;

export type Activation = keyof typeof ACTIVATIONS;

const NAMES = Object.keys(ACTIVATIONS) as [Activation, ...Activation[]];

/** An activation's name in a config. */
export const activationSchema = z.enum(NAMES, {
  error: ({ input }) => `${JSON.stringify(input)} is not known, expected ${NAMES.join(", ")}`,
});
