import { constant, intConstant, rotary, type Value } from "@rag-ft/onnx";
import { type RotarySettings, rotaryTables } from "./rotary-tables.js";

/** Turns queries or keys [batch, heads, tokens, size] to their positions. */
export type Turn = (x: Value) => Value;

/**
 * Rotary positions (Su et al. 2021) by their settings: layers of the same settings share their tables.
 *
 * @param positions int64 [batch, tokens], or [1] = 0 for positions from 0 on
 */
export function rotaryTurns(positions: Value): (settings: RotarySettings) => Turn {
  const made = new Map<string, Turn>();
  return (settings) => {
    const key = JSON.stringify(settings);
    const known = made.get(key);
    if (known) return known;
    const tables = rotaryTables(settings);
    const shape = [settings.positions, settings.size / 2];
    const [cosine, sine] = [constant(tables.cosine, shape), constant(tables.sine, shape)];
    const turn: Turn = (x) => rotary(x, positions, cosine, sine);
    made.set(key, turn);
    return turn;
  };
}

/** The same for texts whose tokens stand at the positions from 0 on. */
export const rotaryFromZero = (): ((settings: RotarySettings) => Turn) => rotaryTurns(intConstant([0]));
