import { type Component, flattened } from "./pre-tokenizers.js";

/** SentencePiece's space. */
const SPACE = "\u2581";

/** Whether texts get a space before them: as llama.cpp does it, only at the start of a prompt, never; undefined where spaces are treated otherwise. */
export type SpacePrefix = "always" | "first" | "never";

const isReplace = ({ type, pattern, content }: Component): boolean =>
  type === "Replace" && (pattern as { String?: unknown })?.String === " " && content === SPACE;

/** A split at spaces after they were replaced: it finds none. */
const findsNothing = ({ type, pattern }: Component): boolean =>
  type === "Split" && (pattern as { String?: unknown })?.String === " ";

/** What a tokenizer does with spaces, by its normalizer and pre-tokenizer. */
export function spacePrefix(normalizer: unknown, preTokenizer: unknown): SpacePrefix | undefined {
  const normalizers = flattened(normalizer);
  const cuts = flattened(preTokenizer);
  const last = normalizers.at(-1);
  if (last && isReplace(last) && cuts.every(findsNothing)) {
    const [first] = normalizers;
    if (normalizers.length === 1) return "never";
    return normalizers.length === 2 && first?.type === "Prepend" && first.prepend === SPACE ? "always" : undefined;
  }
  const [cut] = cuts;
  if (normalizers.length > 0 || cuts.length !== 1 || cut?.type !== "Metaspace") return undefined;
  if (cut.replacement !== SPACE || cut.split !== false) return undefined;
  const scheme = cut.prepend_scheme ?? (cut.add_prefix_space === false ? "never" : "always");
  return scheme === "always" || scheme === "first" || scheme === "never" ? scheme : undefined;
}

/**
 * SentencePiece merges the neighbours whose union has the best score; a tokenizer.json lists the merges instead, best first. The scores that say
 * the same: of what the i-th group of merges makes, -i.
 *
 * @returns Scores by token, or what has no score that says the same.
 */
export function scoresOf(merges: readonly (readonly [string, string])[]): Map<string, number> | { problem: string } {
  const scores = new Map<string, number>();
  const pairs = new Set<string>();
  let before: string | undefined;
  for (const [first, second] of merges) {
    const made = first + second;
    pairs.add(`${first} ${second}`);
    if (made === before) continue;
    if (scores.has(made)) return { problem: `the merges that make ${JSON.stringify(made)} do not stand together` };
    scores.set(made, -scores.size);
    before = made;
  }
  const isMade = (text: string): boolean => scores.has(text) || [...text].length === 1;
  for (const token of scores.keys()) {
    const characters = [...token];
    for (let i = 1; i < characters.length; i++) {
      const [first, second] = [characters.slice(0, i).join(""), characters.slice(i).join("")];
      if (isMade(first) && isMade(second) && !pairs.has(`${first} ${second}`)) {
        return {
          problem: `${JSON.stringify(first)} and ${JSON.stringify(second)} are not merged to ${JSON.stringify(token)}`,
        };
      }
    }
  }
  return scores;
}
