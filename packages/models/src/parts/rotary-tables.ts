import type { RopeScaling } from "./rope-scaling.js";

/** Rotary positions of one kind of layer. */
export interface RotarySettings {
  theta: number;
  scaling?: RopeScaling | null | undefined;
  /** Size of a head. */
  size: number;
  /** Positions that there may be (`max_position_embeddings`). */
  positions: number;
}

interface Frequencies {
  inverse: Float64Array;
  /** Factor of sine and cosine. */
  amplitude: number;
}

/**
 * YaRN (Peng et al. 2023, section 3): fast frequencies stay, slow ones are divided by `factor`, with a ramp between; queries and keys are longer
 * by 0.1 ln(factor) + 1.
 */
function yarn({ theta, size, positions }: RotarySettings, scaling: RopeScaling, inverse: Float64Array): Frequencies {
  const factor = scaling.factor ?? 1;
  const original = scaling.original_max_position_embeddings ?? positions;
  const length = (scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const { mscale, mscale_all_dim: all } = scaling;
  const amplitude = scaling.attention_factor ?? (mscale && all ? length(mscale) / length(all) : length(1));
  /** The pair of a head that makes so many turns over the original positions. */
  const pairOf = (turns: number): number => (size * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const whole = scaling.truncate ?? true;
  const [fast, slow] = [pairOf(scaling.beta_fast || 32), pairOf(scaling.beta_slow || 1)];
  const low = Math.max(whole ? Math.floor(fast) : fast, 0);
  const last = Math.min(whole ? Math.ceil(slow) : slow, size - 1);
  const high = last === low ? low + 0.001 : last;
  return {
    amplitude,
    inverse: inverse.map((frequency, i) => {
      const slowness = Math.min(Math.max((i - low) / (high - low), 0), 1);
      return (frequency / factor) * slowness + frequency * (1 - slowness);
    }),
  };
}

/** Llama 3's: long waves are divided by `factor`, short ones stay, with a ramp between. */
function llama3(scaling: RopeScaling, positions: number, inverse: Float64Array): Float64Array {
  const factor = scaling.factor ?? 1;
  const original = scaling.original_max_position_embeddings ?? positions;
  const low = scaling.low_freq_factor ?? 1;
  const high = scaling.high_freq_factor ?? 4;
  return inverse.map((frequency) => {
    const turns = (original * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const smooth = (turns - low) / (high - low);
    return (1 - smooth) * (frequency / factor) + smooth * frequency;
  });
}

/**
 * Inverse frequencies of rotary embeddings (Su et al. 2021), with the scalings that configs ask for: none, linear (Chen et al. 2023), Llama
 * 3's, YaRN. Dynamic scaling begins beyond `max_position_embeddings`, where no text of ours is.
 */
export function rotaryFrequencies(settings: RotarySettings): Frequencies {
  const { theta, scaling, size, positions } = settings;
  const inverse = Float64Array.from({ length: size / 2 }, (_, i) => theta ** ((-2 * i) / size));
  const plain = { inverse, amplitude: 1 };
  if (!scaling) return plain;
  switch (scaling.rope_type ?? scaling.type ?? "default") {
    case "default":
    case "dynamic":
      return plain;
    case "linear":
      return { ...plain, inverse: inverse.map((frequency) => frequency / (scaling.factor ?? 1)) };
    case "llama3":
      return { ...plain, inverse: llama3(scaling, positions, inverse) };
    case "yarn":
      return yarn(settings, scaling, inverse);
  }
}

/** Cosine and sine tables [positions, size / 2]. */
export function rotaryTables(settings: RotarySettings): { cosine: Float32Array; sine: Float32Array } {
  const { inverse, amplitude } = rotaryFrequencies(settings);
  const half = inverse.length;
  const cosine = new Float32Array(settings.positions * half);
  const sine = new Float32Array(settings.positions * half);
  for (let position = 0; position < settings.positions; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position * (inverse[i] as number);
      cosine[position * half + i] = Math.cos(angle) * amplitude;
      sine[position * half + i] = Math.sin(angle) * amplitude;
    }
  }
  return { cosine, sine };
}
