// Floating-point operations that the mathematics needs (a multiply-add is two), from a model's config.json. Matrix products only, on real
// tokens only: no padding, no recomputation, no logits without a label. A training step needs three times its forward pass.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const readConfig = (folder) => JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));

export const EMBED_FORMULA = "a text of L tokens: layers · (2·L·(4·h² + 2·h·inner) + 4·L²·h)";
export const ENCODER_FORMULA = `3 · forward of the distinct texts; ${EMBED_FORMULA}`;
export const DECODER_FORMULA =
  "3 · forward; L tokens with A labels: layers · (2·L·(2·h·q + 2·h·kv + 3·h·inner) + 2·L²·q, causal) + 2·A·h·vocabulary";

/** Of one layer, over a text of L tokens. */
const layerFlops = (h, inner, L) => 2 * L * (4 * h * h + 2 * h * inner) + 4 * L * L * h;

/** Forward pass of an encoder over texts of these lengths. */
export function encoderFlops(folder, lengths) {
  const { hidden_size: h, intermediate_size: inner, num_hidden_layers: layers } = readConfig(folder);
  return lengths.reduce((sum, L) => sum + layers * layerFlops(h, inner, L), 0);
}

export const RERANK_FORMULA = `${EMBED_FORMULA}; of the last layer keys and values of all tokens, and the rest of the first alone`;

/** Forward pass of a reranker of BERT's form, whose head reads the first token, over pairs of these lengths. */
export function rerankerFlops(folder, lengths) {
  const { hidden_size: h, intermediate_size: inner, num_hidden_layers: layers } = readConfig(folder);
  const last = (L) => 4 * L * h * h + 2 * (2 * h * h + 2 * h * inner) + 4 * L * h;
  return lengths.reduce((sum, L) => sum + (layers - 1) * layerFlops(h, inner, L) + last(L), 0);
}

/** Forward pass of a decoder over sequences of `{ length, labels }`. */
export function decoderFlops(folder, sequences) {
  const config = readConfig(folder);
  const { hidden_size: h, intermediate_size: inner, num_hidden_layers: layers, vocab_size: vocabulary } = config;
  const size = config.head_dim ?? h / config.num_attention_heads;
  const q = size * config.num_attention_heads;
  const kv = size * (config.num_key_value_heads ?? config.num_attention_heads);
  const perToken = 2 * (2 * h * q + 2 * h * kv + 3 * h * inner);
  return sequences.reduce(
    (sum, { length: L, labels }) => sum + layers * (L * perToken + 2 * L * L * q) + 2 * labels * h * vocabulary,
    0,
  );
}

export const ANSWER_FORMULA =
  "a text of L tokens in all, A of them new: as a decoder's forward pass over L tokens with A labels, every token once";

/** Answers of `room` tokens each to prompts, everything computed once. */
export function answerFlops(folder, prompts, room) {
  return decoderFlops(
    folder,
    prompts.map(({ length }) => ({ length: length + room, labels: room })),
  );
}
