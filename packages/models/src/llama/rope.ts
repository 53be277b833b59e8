import type { LlamaConfig } from "./llama-config.js";

/**
 * Inverse frequencies of rotary embeddings (Su et al. 2021), with the scalings that Llama-family configs ask for: none,
 * linear (Chen et al. 2023), and Llama 3's by wavelength.
 */
export function inverseFrequencies(config: LlamaConfig, headSize: number): Float64Array {
  const scaling = config.rope_parameters ?? config.rope_scaling;
  const theta = config.rope_theta ?? config.rope_parameters?.rope_theta ?? 10_000;
  const frequencies = Float64Array.from({ length: headSize / 2 }, (_, i) => theta ** ((-2 * i) / headSize));
  const kind = scaling?.rope_type ?? scaling?.type ?? "default";
  if (!scaling || kind === "default") return frequencies;
  const factor = scaling.factor ?? 1;
  if (kind === "linear") return frequencies.map((frequency) => frequency / factor);
  const original = scaling.original_max_position_embeddings ?? config.max_position_embeddings;
  const low = scaling.low_freq_factor ?? 1;
  const high = scaling.high_freq_factor ?? 4;
  return frequencies.map((frequency) => {
    const turns = (original * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const smooth = (turns - low) / (high - low);
    return (1 - smooth) * (frequency / factor) + smooth * frequency;
  });
}

/** Cosine and sine tables [positions, headSize / 2]. */
export function rotaryTables(
  config: LlamaConfig,
  headSize: number,
  positions: number,
): { cosine: Float32Array; sine: Float32Array } {
  const frequencies = inverseFrequencies(config, headSize);
  const half = frequencies.length;
  const cosine = new Float32Array(positions * half);
  const sine = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < half; i++) {
      const angle = position * (frequencies[i] as number);
      cosine[position * half + i] = Math.cos(angle);
      sine[position * half + i] = Math.sin(angle);
    }
  }
  return { cosine, sine };
}
