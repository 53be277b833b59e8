// Texts without which the others still hold nearly all of what is said. Linear where a text is said ten thousand times: a text is
// compared with those that are kept, and of near copies one is.
//
// 1. Texts are taken by their number of words, the longest first; of equals the first.
// 2. Of a text that contains it, a text has one of its rarest shingles at least (`NearDuplicates`): an index of the kept texts gives
//    the candidates, whose containment is counted in full.
// 3. A text that no kept one contains is kept, and its shingles go into the index.
import { throwIfCancelled } from "@rag-ft/core";
import { KeyTable } from "./key-table.js";
import { rarestShingles } from "./rarest-shingles.js";
import { CONTAINED_ABOVE, containment, SHINGLE_SIZE, type Shingles, shinglesOf } from "./shingles.js";
import { words } from "./words.js";

/** A text that another one makes superfluous. */
export interface RepeatedText {
  id: number;
  /** Of the texts that are kept and contain it, the one that has most of it; of equals the first. */
  container: number;
  /** Share of the text's shingles that the container has. */
  share: number;
}

export interface RepeatedTextsOptions {
  shingleSize?: number;
  /** A text is repeated when another has more than this share of its shingles. */
  above?: number;
  signal?: AbortSignal;
}

/** Texts between two looks at the signal. */
const TURN = 200;

/** Of each key, the texts that have it; grows. A linked list in two arrays. */
class KeptIndex {
  private readonly heads: Int32Array;
  private next = new Int32Array(1024);
  private texts = new Int32Array(1024);
  private size = 0;

  constructor(private readonly table: KeyTable) {
    this.heads = new Int32Array(table.size).fill(-1);
  }

  add(text: number, keys: Shingles): void {
    for (const key of keys) {
      const place = this.table.find(key);
      if (place < 0) continue;
      if (this.size === this.next.length) {
        this.next = grown(this.next);
        this.texts = grown(this.texts);
      }
      this.texts[this.size] = text;
      this.next[this.size] = this.heads[place] as number;
      this.heads[place] = this.size;
      this.size++;
    }
  }

  *having(key: number): Generator<number> {
    const place = this.table.find(key);
    if (place < 0) return;
    for (let at = this.heads[place] as number; at >= 0; at = this.next[at] as number) yield this.texts[at] as number;
  }
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/**
 * The repeated ones of many texts, in their order. Of a text no more is kept than its shingles: 8 bytes a word. Stops at an aborted signal with
 * `CancelledError`.
 */
export async function findRepeatedTexts(
  texts: Iterable<string> | AsyncIterable<string>,
  { shingleSize = SHINGLE_SIZE, above = CONTAINED_ABOVE, signal }: RepeatedTextsOptions = {},
): Promise<RepeatedText[]> {
  const turn = async (step: number): Promise<void> => {
    if (step % TURN !== 0) return;
    if (signal) throwIfCancelled(signal);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const sets: Shingles[] = [];
  const lengths: number[] = [];
  for await (const text of texts) {
    await turn(sets.length);
    const list = words(text);
    lengths.push(list.length);
    sets.push(shinglesOf(list, shingleSize));
  }
  const prefixes = rarestShingles(sets, above);
  const table = new KeyTable(prefixes.reduce((sum, prefix) => sum + prefix.length, 0));
  for (const prefix of prefixes) for (const key of prefix) table.add(key);
  const kept = new KeptIndex(table);
  const lookedAtBy = new Int32Array(sets.length).fill(-1);
  const repeated: RepeatedText[] = [];
  const byLength = [...sets.keys()].sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  for (const [step, id] of byLength.entries()) {
    await turn(step);
    const set = sets[id] as Shingles;
    let best: RepeatedText | undefined;
    for (const key of prefixes[id] as Float64Array) {
      for (const other of kept.having(key)) {
        if (lookedAtBy[other] === id) continue;
        lookedAtBy[other] = id;
        const share = containment(set, sets[other] as Shingles);
        const better = best === undefined || share > best.share || (share === best.share && other < best.container);
        if (share > above && better) best = { id, container: other, share };
      }
    }
    if (best) repeated.push(best);
    else kept.add(id, set);
  }
  return repeated.sort((a, b) => a.id - b.id);
}
