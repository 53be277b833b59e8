import { z } from "zod";
import type { Complain } from "./transformer-fields.js";

const KINDS = ["full_attention", "sliding_attention"] as const;
export type LayerType = (typeof KINDS)[number];

/** `layer_types` of a config: which layers see a window only. */
export const layerTypesSchema = z
  .array(
    z.enum(KINDS, {
      error: ({ input }) => `${JSON.stringify(input)}: this attention is not supported, expected ${KINDS.join(" or ")}`,
    }),
  )
  .nullish();

/** Complains of layers that `layer_types` leaves out, and of windows whose length is not given. */
export function checkLayerTypes(
  config: {
    num_hidden_layers: number;
    layer_types?: readonly LayerType[] | null | undefined;
    sliding_window?: number | null | undefined;
  },
  complain: Complain,
): void {
  const { layer_types: types, num_hidden_layers: layers } = config;
  if (!types) return;
  if (types.length !== layers)
    complain("layer_types", `has ${types.length} entries, expected num_hidden_layers = ${layers}`);
  if (types.includes("sliding_attention") && !config.sliding_window) {
    complain("sliding_window", "is not given, but layer_types has sliding_attention");
  }
}
