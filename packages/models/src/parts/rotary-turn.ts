import { constant, rotary, type Value } from "@rag-ft/onnx";
import { type RotarySettings, rotaryTables } from "./rotary-tables.js";

/** Turns queries or keys [batch, heads, tokens, size] to their positions. */
export type Turn = (x: Value) => Value;

/** Rotary positions (Su et al. 2021). @param positions int64 [batch, tokens], or [1] = 0 for positions from 0 on */
export function rotaryTurn(settings: RotarySettings, positions: Value): Turn {
  const tables = rotaryTables(settings);
  const shape = [settings.positions, settings.size / 2];
  const [cosine, sine] = [constant(tables.cosine, shape), constant(tables.sine, shape)];
  return (x) => rotary(x, positions, cosine, sine);
}
