import { UserError } from "@rag-ft/core";
import type { CompletionStore } from "../completion-store.js";
import type { Billed, CompletionUsage } from "../language-model.js";
import { createCostCap } from "./cost-cap.js";
import { costOf, noPrice, type Prices, readPrices } from "./prices.js";

/** What a request may use at most. */
export type UsageBound = CompletionUsage;

/** One request, or one attempt of it, from before it is sent until its reply is there. */
export interface OpenedItem {
  /** The reply came, with what the server counted. */
  paid(usage: CompletionUsage | undefined, estimate: number | undefined): Billed;
  /** The server did not take the request: nothing is billed. */
  refused(): void;
  /** No telling whether it is billed (no reply in time, a lost connection): taken at its most. */
  unknown(): void;
}

/** Adds up what a stage pays. */
export interface Bill {
  readonly purpose: string;
  readonly prices: Prices;
  /** Whether requests need a bound, since there is a cap. */
  readonly capped: boolean;
  /** @throws UserError when there is a cap but the model has no price. */
  check(model: string): void;
  /** @throws CostCapError when the request might pass the cap. */
  open(model: string, bound: UsageBound, batch?: boolean): Promise<OpenedItem>;
  readonly totals: Readonly<BillTotals>;
}

export interface BillTotals {
  /** US dollars of this run; undefined when a model has no price. */
  cost_usd: number | undefined;
  /** What the same stage has paid into the same folder before. */
  earlier_cost_usd: number;
  /** For requests without a reply, at most; not in `cost_usd`. */
  perhaps_billed_usd: number;
  prices_of: string;
}

export interface BillOptions {
  /** The stage. */
  purpose: string;
  settings: { max_cost?: number | undefined; prices?: string | undefined };
  /** Where earlier runs' completions are; a stage without any asks for vectors alone. */
  store?: Pick<CompletionStore, "completions">;
}

/** Opens a stage's bill: reads the prices, and what was paid before for what the store holds. */
export async function openBill({ purpose, settings, store }: BillOptions): Promise<Bill> {
  const prices = await readPrices(settings.prices);
  const earlier = [...(store?.completions() ?? [])]
    .filter(({ billed }) => billed?.by === purpose)
    .reduce((sum, { billed }) => sum + (billed?.cost_usd ?? 0), 0);
  const cap = settings.max_cost === undefined ? undefined : createCostCap(settings.max_cost, earlier);
  const totals: BillTotals = {
    cost_usd: 0,
    earlier_cost_usd: earlier,
    perhaps_billed_usd: 0,
    prices_of: prices.date,
  };
  return {
    purpose,
    prices,
    totals,
    capped: cap !== undefined,
    check(model) {
      if (cap && !prices.of(model)) throw new UserError(`--max_cost needs a price: ${noPrice(model, prices)}`);
    },
    async open(model, bound, batch = false) {
      const price = prices.of(model);
      const share = batch ? prices.batch : 1;
      const most = price ? costOf(price, bound) * share : 0;
      const reservation = await cap?.reserve(most);
      return {
        paid(usage, estimate) {
          const cost = price && usage ? costOf(price, usage) * share : undefined;
          // A server that counts nothing: the most it can be.
          reservation?.settle(cost ?? most);
          totals.cost_usd = cost === undefined || totals.cost_usd === undefined ? undefined : totals.cost_usd + cost;
          return {
            by: purpose,
            model,
            ...(cost === undefined ? {} : { cost_usd: cost }),
            ...(estimate === undefined ? {} : { estimate }),
          };
        },
        refused: () => reservation?.settle(0),
        unknown() {
          reservation?.settle(most);
          totals.perhaps_billed_usd += most;
        },
      };
    },
  };
}
