/** A setting's name as typed on the command line or in YAML, in the one spelling that schemas use: `Save-Dir` is not `save_dir`. */
export function canonicalName(name: string): string {
  return name.replaceAll("-", "_");
}

/** Edits (insert, delete, replace) from one text to the other: Levenshtein's distance. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
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
