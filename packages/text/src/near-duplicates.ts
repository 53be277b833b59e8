// All pairs of texts of which one contains more than a given share of the other's shingles. Exact: no pair is missed.
//
// 1. Texts with the same shingles form a group, which is looked at once.
// 2. A text with n shingles that is to share at least m of them with another can lack n - m at most: of any n - m + 1 of its
//    shingles, one is in the other text (prefix filtering: Chaudhuri, Ganti and Kaushik 2006). The rarest are taken, since few
//    texts have them.
// 3. An inverted index of these shingles gives the candidates; their containment is then counted in full.
//
// MinHash would estimate resemblance instead, which is low for a short text inside a long one.
import { throwIfCancelled } from "@rag-ft/core";
import { CONTAINED_ABOVE, containment, SHINGLE_SIZE, type Shingles, shinglesOf } from "./shingles.js";
import { words } from "./words.js";

export interface NearDuplicateOptions {
  /** Words of a shingle. */
  shingleSize?: number;
  /** A text is contained in another that has more than this share of its shingles. */
  above?: number;
  /** Cuts a text in words. */
  words?: (text: string) => readonly string[];
  signal?: AbortSignal;
}

/** Another text and the share of shingles that it has. */
export interface Container {
  id: number;
  share: number;
}

/** Buckets for counting how many texts have a shingle; shingles in one bucket only seem more frequent than they are. */
const BUCKETS = 2 ** 22;
/** Texts between two looks at the signal. */
const TURN = 500;

const bucketOf = (key: number): number => key % BUCKETS;

/** Numbers → consecutive places. Open addressing: a Map of millions of numbers takes several times the memory. */
class KeyTable {
  private readonly keys: Float64Array;
  private readonly places: Int32Array;
  private readonly mask: number;
  size = 0;

  constructor(atMost: number) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(2, atMost * 2)));
    this.mask = capacity - 1;
    this.keys = new Float64Array(capacity).fill(-1);
    this.places = new Int32Array(capacity);
  }

  private slot(key: number): number {
    let slot = ((key % 0x100000000) ^ (key / 0x100000000)) & this.mask;
    while (this.keys[slot] !== -1 && this.keys[slot] !== key) slot = (slot + 1) & this.mask;
    return slot;
  }

  add(key: number): void {
    const slot = this.slot(key);
    if (this.keys[slot] === key) return;
    this.keys[slot] = key;
    this.places[slot] = this.size++;
  }

  /** The key's place, -1 when it was never added. */
  find(key: number): number {
    const slot = this.slot(key);
    return this.keys[slot] === key ? (this.places[slot] as number) : -1;
  }
}

const equal = (a: Shingles, b: Shingles): boolean => a.length === b.length && a.every((key, i) => key === b[i]);

/** Texts with equal shingles, each group in the order of the texts; texts without any word are in none. */
function groupEqual(sets: readonly Shingles[]): number[][] {
  const groups: number[][] = [];
  const bySum = new Map<number, number[]>();
  sets.forEach((set, id) => {
    if (set.length === 0) return;
    const sum = set.reduce((total, key) => (total + key) % Number.MAX_SAFE_INTEGER, set.length);
    const same = bySum.get(sum) ?? [];
    bySum.set(sum, same);
    const found = same.find((group) => equal(sets[groups[group]?.[0] as number] as Shingles, set));
    if (found !== undefined) groups[found]?.push(id);
    else {
      same.push(groups.length);
      groups.push([id]);
    }
  });
  return groups;
}

/** For each set, its rarest shingles: as many as must hold one in common with whatever contains the set. */
function rarest(sets: readonly Shingles[], above: number): Float64Array[] {
  const frequency = new Uint32Array(BUCKETS);
  for (const set of sets) for (const key of set) (frequency[bucketOf(key)] as number)++;
  const of = (key: number): number => frequency[bucketOf(key)] as number;
  return sets.map((set) => {
    // Least number of common shingles; rounding must never make it too large.
    const least = Math.floor(above * set.length - 1e-9) + 1;
    const prefix = set.slice().sort((a, b) => of(a) - of(b) || a - b);
    // What only this set has leads to no other.
    return prefix.subarray(0, set.length - least + 1).filter((key) => of(key) > 1);
  });
}

/** Inverted index: of each key of the prefixes, the sets that have it. */
class Postings {
  private readonly table: KeyTable;
  private readonly starts: Int32Array;
  private readonly sets: Int32Array;

  constructor(prefixes: readonly Float64Array[], sets: readonly Shingles[]) {
    this.table = new KeyTable(prefixes.reduce((sum, prefix) => sum + prefix.length, 0));
    for (const prefix of prefixes) for (const key of prefix) this.table.add(key);
    const ends = new Int32Array(this.table.size + 1);
    const each = (visit: (place: number, set: number) => void): void =>
      sets.forEach((keys, set) => {
        for (const key of keys) {
          const place = this.table.find(key);
          if (place >= 0) visit(place, set);
        }
      });
    each((place) => void (ends[place + 1] as number)++);
    for (let i = 1; i < ends.length; i++) ends[i] = (ends[i] as number) + (ends[i - 1] as number);
    this.starts = ends;
    this.sets = new Int32Array(ends.at(-1) ?? 0);
    const next = ends.slice();
    each((place, set) => {
      this.sets[next[place] as number] = set;
      (next[place] as number)++;
    });
  }

  having(key: number): Int32Array {
    const place = this.table.find(key);
    return this.sets.subarray(this.starts[place] as number, this.starts[place + 1] as number);
  }
}

/** Which of many texts contain which. */
export class NearDuplicates {
  private constructor(
    /** Texts with equal shingles. */
    private readonly groups: readonly number[][],
    /** Text → its group; -1 for a text without words. */
    private readonly groupOf: Int32Array,
    /** For each group, those that contain it and those that it contains. */
    private readonly containers: readonly Container[][],
    private readonly parts: readonly number[][],
  ) {}

  /** Looks through all pairs: `pnpm bench near-duplicates` times 100,000 passages. Stops at an aborted signal with `CancelledError`. */
  static async find(texts: readonly string[], options: NearDuplicateOptions = {}): Promise<NearDuplicates> {
    const { shingleSize = SHINGLE_SIZE, above = CONTAINED_ABOVE, words: cut = words, signal } = options;
    const turn = async (step: number): Promise<void> => {
      if (step % TURN !== 0) return;
      if (signal) throwIfCancelled(signal);
      await new Promise((resolve) => setImmediate(resolve));
    };
    const all: Shingles[] = [];
    for (const [i, text] of texts.entries()) {
      await turn(i);
      all.push(shinglesOf(cut(text), shingleSize));
    }
    const groups = groupEqual(all);
    const groupOf = new Int32Array(texts.length).fill(-1);
    groups.forEach((members, group) => {
      for (const id of members) groupOf[id] = group;
    });
    const sets = groups.map((members) => all[members[0] as number] as Shingles);
    const prefixes = rarest(sets, above);
    const postings = new Postings(prefixes, sets);
    const containers: Container[][] = sets.map(() => []);
    const parts: number[][] = sets.map(() => []);
    const seenBy = new Int32Array(sets.length).fill(-1);
    for (const [a, set] of sets.entries()) {
      await turn(a);
      seenBy[a] = a;
      for (const key of prefixes[a] as Float64Array) {
        for (const b of postings.having(key)) {
          if (seenBy[b] === a) continue;
          seenBy[b] = a;
          const share = containment(set, sets[b] as Shingles);
          if (share <= above) continue;
          containers[a]?.push({ id: b, share });
          parts[b]?.push(a);
        }
      }
    }
    return new NearDuplicates(groups, groupOf, containers, parts);
  }

  private members(group: number, except: number): number[] {
    return (this.groups[group] ?? []).filter((id) => id !== except);
  }

  /** The texts that contain text `id`, those with equal shingles (share 1) first. */
  containing(id: number): Container[] {
    const group = this.groupOf[id] as number;
    if (group < 0) return [];
    return [
      ...this.members(group, id).map((other) => ({ id: other, share: 1 })),
      ...(this.containers[group] ?? []).flatMap((container) =>
        this.members(container.id, id).map((other) => ({ id: other, share: container.share })),
      ),
    ];
  }

  /** The texts that contain text `id` or are contained in it, in their order. */
  near(id: number): number[] {
    const group = this.groupOf[id] as number;
    if (group < 0) return [];
    const groups = [group, ...(this.containers[group] ?? []).map((other) => other.id), ...(this.parts[group] ?? [])];
    return [...new Set(groups)].flatMap((other) => this.members(other, id)).sort((a, b) => a - b);
  }
}
