import { apply, type Value } from "../value.js";

/**
 * Rotary position embedding (Su et al. 2021), halves convention of Llama: x [batch, heads, tokens, size],
 * positions int64 [batch, tokens], cosine and sine tables [positions, size / 2].
 */
export function rotary(x: Value, positions: Value, cosine: Value, sine: Value): Value {
  const inputs = [x, positions, cosine, sine];
  return apply("RotaryEmbedding", inputs, { dtype: x.dtype, shape: x.shape }, { interleaved: 0 }, "com.microsoft");
}
