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
import { KeyTable } from "./key-table.js";
import { rarestShingles } from "./rarest-shingles.js";
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

/** Texts between two looks at the signal. */
const TURN = 500;

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
    if (place < 0) return new Int32Array(0);
    return this.sets.subarray(this.starts[place] as number, this.starts[place + 1] as number);
  }
}

/** Which of many texts contain which. */
export class NearDuplicates {
  /** By each rare shingle, the groups that have it; and those of whose rarest it is one. Made when first asked for. */
  private wholes: Postings | undefined;
  private rare: Postings | undefined;

  private constructor(
    /** Texts with equal shingles. */
    private readonly groups: readonly number[][],
    /** Text → its group; -1 for a text without words. */
    private readonly groupOf: Int32Array,
    /** Shingles of each group, and the rarest of them. */
    private readonly sets: readonly Shingles[],
    private readonly prefixes: readonly Float64Array[],
    private readonly above: number,
  ) {}

  /** Indexes all texts; pairs are looked for when they are asked for, so that memory is that of the texts: `pnpm bench near-duplicates` times 100,000 passages. Stops at an aborted signal with `CancelledError`. */
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
    const prefixes = rarestShingles(sets, above);
    return new NearDuplicates(groups, groupOf, sets, prefixes, above);
  }

  /** Other groups that a group's shingles lead to by an index, for which `test` gives a share. */
  private reach(group: number, keys: Shingles, index: Postings, test: (other: number) => number): Container[] {
    const seen = new Set([group]);
    const found: Container[] = [];
    for (const key of keys) {
      for (const id of index.having(key)) {
        if (seen.has(id)) continue;
        seen.add(id);
        const share = test(id);
        if (share > this.above) found.push({ id, share });
      }
    }
    return found;
  }

  private set(group: number): Shingles {
    return this.sets[group] as Shingles;
  }

  /** Groups that contain a group: what has one of its rarest shingles is looked at. */
  private containers(group: number): Container[] {
    this.wholes ??= new Postings(this.prefixes, this.sets);
    const test = (other: number): number => containment(this.set(group), this.set(other));
    return this.reach(group, this.prefixes[group] as Shingles, this.wholes, test);
  }

  /** Groups that a group contains: those of whose rarest shingles it has one. */
  private parts(group: number): Container[] {
    this.rare ??= new Postings(this.prefixes, this.prefixes);
    const test = (other: number): number => containment(this.set(other), this.set(group));
    return this.reach(group, this.set(group), this.rare, test);
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
      ...this.containers(group).flatMap((container) =>
        this.members(container.id, id).map((other) => ({ id: other, share: container.share })),
      ),
    ];
  }

  /** The texts that contain text `id` or are contained in it, in their order. */
  near(id: number): number[] {
    const group = this.groupOf[id] as number;
    if (group < 0) return [];
    const groups = [group, ...[...this.containers(group), ...this.parts(group)].map(({ id: other }) => other)];
    return [...new Set(groups)].flatMap((other) => this.members(other, id)).sort((a, b) => a - b);
  }
}
