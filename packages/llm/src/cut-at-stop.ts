/** The text before the first stop string in it. */
export function cutAtStop(text: string, stop: readonly string[]): { text: string; found: boolean } {
  const places = stop.filter((end) => end !== "").map((end) => text.indexOf(end));
  const first = Math.min(...places.filter((place) => place >= 0));
  return Number.isFinite(first) ? { text: text.slice(0, first), found: true } : { text, found: false };
}
