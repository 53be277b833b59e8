import { UserError } from "@rag-ft/core";

/** The next request might have cost more than `max_cost` leaves. */
export class CostCapError extends UserError {}

/** Money set aside for a request under way. */
export interface Reservation {
  /** What it really cost; the rest is free again. */
  settle(usd: number): void;
}

export interface CostCap {
  /**
   * Sets money aside, first come first served. What is under way may cost less than was set aside for it: so a request that
   * does not fit waits for those before it.
   *
   * @throws CostCapError when it does not fit and nothing is under way.
   */
  reserve(usd: number): Promise<Reservation>;
}

interface Waiting {
  usd: number;
  grant: (reservation: Reservation) => void;
  refuse: (error: Error) => void;
}

const shown = (usd: number): string => `${usd.toFixed(4)} USD`;

/** At every moment, what was paid and what is set aside stay within `maxCost`; `paid` was paid before. */
export function createCostCap(maxCost: number, paid = 0): CostCap {
  let settled = paid;
  let reserved = 0;
  let underWay = 0;
  const waiting: Waiting[] = [];

  const advance = (): void => {
    for (let next = waiting[0]; next; next = waiting[0]) {
      const { usd, grant, refuse } = next;
      const fits = settled + reserved + usd <= maxCost;
      if (!fits && underWay > 0) return;
      waiting.shift();
      if (!fits) {
        refuse(
          new CostCapError(
            `Stopped before the cost could pass --max_cost ${maxCost}: ${shown(settled)} are spent${paid > 0 ? ` (${shown(paid)} of them in earlier runs)` : ""}, and the next request may cost ${shown(usd)}. All replies are kept: the same command with a higher --max_cost goes on from here.`,
          ),
        );
        continue;
      }
      reserved += usd;
      underWay++;
      let open = true;
      grant({
        settle(cost) {
          if (!open) return;
          open = false;
          reserved -= usd;
          underWay--;
          settled += cost;
          advance();
        },
      });
    }
  };
  return {
    reserve: (usd) =>
      new Promise((grant, refuse) => {
        waiting.push({ usd, grant, refuse });
        advance();
      }),
  };
}
