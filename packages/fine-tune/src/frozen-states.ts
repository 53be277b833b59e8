import { join } from "node:path";
import type { Reporter } from "@rag-ft/core";
import { describeFrozen, type FreezeSettings, type FrozenPart } from "@rag-ft/models";
import type { TrainingSettings } from "@rag-ft/train";

/** Of `output_dir`, while it trains: what frozen layers have computed of texts that found no room in memory. */
export const FROZEN_STATES = "frozen_states";

/** For a trainable model: what settings ask to be frozen; undefined for nothing. */
export function freezeSettings(
  { freeze_layers: layers, frozen_memory, output_dir }: TrainingSettings,
  reporter: Pick<Reporter, "warn">,
): FreezeSettings | undefined {
  if (layers === 0) return undefined;
  return { layers, memoryBytes: frozen_memory * 2 ** 20, folder: join(output_dir, FROZEN_STATES), reporter };
}

/** A line of log and summary: what was held fixed, and what it is of all. */
export function frozenLine(part: FrozenPart): string {
  const { frozen, all } = part.parameters;
  const millions = (n: number): string => (n / 1e6).toPrecision(3);
  return `held fixed: ${describeFrozen(part)}, ${millions(frozen)} M of ${millions(all)} M parameters`;
}

/** The same for the run record. */
export function frozenRecord({ layers, of, parameters }: FrozenPart): Record<string, unknown> {
  return { layers, of, embeddings: true, parameters: parameters.frozen, of_parameters: parameters.all };
}
