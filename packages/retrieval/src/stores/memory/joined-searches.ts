import { throwIfCancelled } from "@rag-ft/core";
import type { Ranked } from "../../best-passages.js";

export interface JoinedSearch {
  /** `[count, dimensions]`. */
  queries: Float32Array;
  count: number;
  /** Passages wanted of each query. */
  depth: number;
  /** Only of these places, ascending; undefined: of all. */
  fitting: Int32Array | undefined;
  signal: AbortSignal | undefined;
}

interface Waiting extends JoinedSearch {
  found: Ranked[];
  resolve: (found: Ranked[]) => void;
  reject: (reason: unknown) => void;
}

/** What a search does: the best `depths[q]` of each query. */
export type RankTogether = (
  queries: Float32Array,
  depths: number[],
  fitting: Int32Array | undefined,
) => Promise<Ranked[]>;

/** Whether a search still wants to be done; one that was stopped is told so. */
function isWanted({ signal, reject }: Waiting): boolean {
  try {
    if (signal) throwIfCancelled(signal);
    return true;
  } catch (reason) {
    reject(reason);
    return false;
  }
}

/**
 * Searches that wait at the same time are done in common turns. Between turns others may work; a search of more queries than a turn takes goes to the end of the row after
 * each.
 */
export class JoinedSearches {
  private row: Waiting[] = [];
  private working = false;

  /** @param most Queries of a turn. */
  constructor(
    private readonly rank: RankTogether,
    private readonly most: () => number,
  ) {}

  join(search: JoinedSearch): Promise<Ranked[]> {
    return new Promise((resolve, reject) => {
      this.row.push({ ...search, found: [], resolve, reject });
      if (!this.working) void this.work();
    });
  }

  private async work(): Promise<void> {
    this.working = true;
    // Those that come in the same turn of the event loop, too.
    await new Promise(setImmediate);
    for (;;) {
      this.row = this.row.filter(isWanted);
      if (this.row.length === 0) break;
      await this.turn();
      await new Promise(setImmediate);
    }
    this.working = false;
  }

  private async turn(): Promise<void> {
    const fitting = this.row[0]?.fitting;
    const taken: { search: Waiting; count: number }[] = [];
    let left = this.most();
    for (const search of this.row) {
      if (search.fitting !== fitting || left === 0) continue;
      const count = Math.min(left, search.count - search.found.length);
      taken.push({ search, count });
      left -= count;
    }
    try {
      await this.rankTaken(taken, fitting);
    } catch (reason) {
      for (const { search } of taken) search.reject(reason);
      this.row = this.row.filter((search) => !taken.some((one) => one.search === search));
      return;
    }
    const done = new Set(taken.map(({ search }) => search).filter(({ found, count }) => found.length === count));
    for (const { found, resolve } of done) resolve(found);
    const begun = taken.map(({ search }) => search).filter((search) => !done.has(search));
    this.row = [...this.row.filter((search) => !done.has(search) && !begun.includes(search)), ...begun];
  }

  private async rankTaken(
    taken: readonly { search: Waiting; count: number }[],
    fitting: Int32Array | undefined,
  ): Promise<void> {
    const parts = taken.map(({ search: { queries, count: all, found }, count }) => {
      const dimensions = all === 0 ? 0 : queries.length / all;
      return queries.subarray(found.length * dimensions, (found.length + count) * dimensions);
    });
    const together = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      together.set(part, at);
      at += part.length;
    }
    const ranked = await this.rank(
      together,
      taken.flatMap(({ search, count }) => Array<number>(count).fill(search.depth)),
      fitting,
    );
    let next = 0;
    for (const { search, count } of taken) {
      search.found.push(...ranked.slice(next, next + count));
      next += count;
    }
  }
}
