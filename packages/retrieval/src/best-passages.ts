import type { Page } from "./page.js";

/** Passages of one query, best first, equal scores by the lower id. */
export interface Ranked {
  /** Places of the passages in the database. */
  ids: Int32Array;
  scores: Float64Array;
}

/** Best k of one query so far, as two arrays sorted best first. */
export class BestPassages implements Ranked {
  readonly ids: Int32Array;
  readonly scores: Float64Array;
  private filled = 0;

  constructor(private readonly k: number) {
    this.ids = new Int32Array(k).fill(-1);
    this.scores = new Float64Array(k).fill(Number.NEGATIVE_INFINITY);
  }

  /** Ids must come in ascending order: an equal score then stays behind the earlier id. */
  offer(id: number, score: number): void {
    if (this.filled === this.k && !(score > (this.scores[this.k - 1] as number))) return;
    let place = Math.min(this.filled, this.k - 1);
    while (place > 0 && score > (this.scores[place - 1] as number)) {
      this.scores[place] = this.scores[place - 1] as number;
      this.ids[place] = this.ids[place - 1] as number;
      place--;
    }
    this.scores[place] = score;
    this.ids[place] = id;
    if (this.filled < this.k) this.filled++;
  }

  /** The same of many: `scores[i]` is that of `ids[i]`. */
  offerAll(ids: Int32Array, scores: Float64Array): void {
    if (this.k === 0) return;
    let i = 0;
    for (; i < scores.length && this.filled < this.k; i++) this.offer(ids[i] as number, scores[i] as number);
    // Nearly all passages end here.
    for (let least = this.scores[this.k - 1] as number; i < scores.length; i++) {
      if (!((scores[i] as number) > least)) continue;
      this.offer(ids[i] as number, scores[i] as number);
      least = this.scores[this.k - 1] as number;
    }
  }
}

/** The best `k` of all passages by their scores, or of those `among` them, whose places ascend. */
export function bestOf(scores: Float64Array, k: number, among?: Int32Array): Ranked {
  const best = new BestPassages(Math.min(k, among?.length ?? scores.length));
  if (best.ids.length === 0) return best;
  if (among) for (const passage of among) best.offer(passage, scores[passage] as number);
  else for (let passage = 0; passage < scores.length; passage++) best.offer(passage, scores[passage] as number);
  return best;
}

/** A page of what was ranked to its depth. */
export function pageOf({ ids, scores }: Ranked, { limit, offset = 0 }: Page): Ranked {
  return { ids: ids.subarray(offset, offset + limit), scores: scores.subarray(offset, offset + limit) };
}
