import { distance as editDistance } from "fastest-levenshtein";

/** A setting's name as typed on the command line or in YAML, in the one spelling that schemas use: `Save-Dir` is not `save_dir`. */
export function canonicalName(name: string): string {
  return name.replaceAll("-", "_");
}

/** The at most three known names nearest to `name`; none when all are far from it. */
export function closestNames(name: string, known: readonly string[]): string[] {
  const limit = Math.max(2, Math.floor(name.length / 3));
  return known
    .map((candidate) => ({
      candidate,
      // A part of a name (`batch_size` for `per_device_train_batch_size`) is near it, however long the rest is.
      distance: name.length >= 4 && candidate.includes(name) ? 1 : editDistance(name, candidate),
    }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}
