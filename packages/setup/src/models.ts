/** A model that is proposed: what it is called on the hub, and what matters for choosing. */
export interface ProposedModel {
  name: string;
  /** Millions that take part in matrix products, and all of them. */
  working_millions: number;
  millions: number;
  for: string;
}

/** Encoders, smallest first. */
export const ENCODERS: readonly ProposedModel[] = [
  { name: "sentence-transformers/all-MiniLM-L6-v2", working_millions: 11, millions: 23, for: "English, quickest" },
  { name: "intfloat/e5-small-v2", working_millions: 21, millions: 33, for: "English" },
  { name: "intfloat/multilingual-e5-small", working_millions: 21, millions: 118, for: "a hundred languages" },
  { name: "intfloat/e5-base-v2", working_millions: 85, millions: 109, for: "English, finds more" },
  {
    name: "Qwen/Qwen3-Embedding-0.6B",
    working_millions: 440,
    millions: 596,
    for: "a hundred languages and code; for a server",
  },
];

/** Decoders, smallest first. */
export const DECODERS: readonly ProposedModel[] = [
  { name: "HuggingFaceTB/SmolLM2-135M-Instruct", working_millions: 106, millions: 135, for: "English, a laptop" },
  { name: "HuggingFaceTB/SmolLM2-360M-Instruct", working_millions: 315, millions: 362, for: "English" },
  { name: "Qwen/Qwen2.5-0.5B-Instruct", working_millions: 358, millions: 494, for: "several languages" },
  { name: "Qwen/Qwen3-0.6B", working_millions: 440, millions: 596, for: "many languages; for a server" },
];

/** Bytes that all-weights training needs in fp32: weights, gradients, two moments; activations come on top. */
export const trainingBytes = ({ millions }: ProposedModel): number => millions * 1e6 * 16;
