/** The number of words that `a` ends and `b` begins with, if there are at least `least`, else 0; all of neither. O(a · least). */
function seam(a: readonly string[], b: readonly string[], least: number): number {
  for (let start = Math.max(0, a.length - b.length); start <= a.length - least; start++) {
    let length = 0;
    while (start + length < a.length && a[start + length] === b[length]) length++;
    if (start + length === a.length) return length;
  }
  return 0;
}

/** The words that two chunks of one text share where one goes on in the other; 0 when there are fewer than `least`. */
export function chunkOverlap(a: readonly string[], b: readonly string[], least: number): number {
  return Math.max(seam(a, b, least), seam(b, a, least));
}
