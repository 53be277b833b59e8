import { createRandom } from "@rag-ft/core";

/** Picks the next token's id by the logits of all, [vocabulary]. */
export type ChooseToken = (logits: Float32Array) => number;

/** The likeliest, the first of equals. */
export const likeliest: ChooseToken = (logits) => {
  let best = 0;
  let value = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (logit > value) {
      value = logit;
      best = id;
    }
  }
  return best;
};

/** Draws by the softmax of logits / temperature. Random numbers of its own: what other texts draw changes nothing. */
export function sampled(temperature: number, seed: number): ChooseToken {
  const random = createRandom(seed);
  return (logits) => {
    const most = logits[likeliest(logits)] as number;
    const weightOf = (id: number): number => Math.exp(((logits[id] as number) - most) / temperature);
    let sum = 0;
    for (let id = 0; id < logits.length; id++) sum += weightOf(id);
    let left = random.next() * sum;
    for (let id = 0; id < logits.length; id++) {
      left -= weightOf(id);
      if (left < 0) return id;
    }
    return likeliest(logits); // the sum's rounding alone leads here
  };
}
