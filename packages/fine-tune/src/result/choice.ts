import { rm } from "node:fs/promises";
import { join } from "node:path";
import { signed, writeJsonAtomic } from "@rag-ft/core";
import { figureTitle, pairedDifference } from "@rag-ft/metrics";
import type { Figures } from "@rag-ft/train";

/** Which weights a model has. */
export interface Place {
  /** The checkpoint's step; 0 is the base. */
  step: number;
  /** Share of the checkpoint's weights, the rest the base's; left out for the checkpoint itself. */
  alpha?: number;
}

/** A model that may be the result of a run. */
export interface Candidate extends Place {
  /** Figures on the eval questions. */
  figures: Figures;
  /** The deciding figure, question by question. */
  values: number[];
}

export interface ChoiceOptions {
  /** The figure that decides. */
  metric: string;
  greaterIsBetter: boolean;
  /** `better`: any gain is enough; `significant`: its 95 % interval must leave 0 out. */
  keepBaseUnless: "better" | "significant";
  /** Where each question comes from, if that is known. */
  sources?: readonly string[] | undefined;
}

/** What a training leaves, and why. */
export interface Choice {
  kept: Candidate;
  /** All but the base. */
  candidates: readonly Candidate[];
  /** The best candidate against the base on the eval questions, without interval where one is not known; undefined when it is not better. */
  difference:
    | { mean: number; low?: number; high?: number; wins: number; losses: number; questions: number; sources?: number }
    | undefined;
  /** What came out, in a sentence or two. */
  verdict: string;
}

const ADVICE =
  "More questions may help, or others: of the kind that users ask, each answered by its passage; or a lower learning rate.";

/** For people: `step 18`, `step 18 at alpha 0.5`. */
export function candidateName({ step, alpha }: Place): string {
  return alpha === undefined ? `step ${step}` : `step ${step} at alpha ${alpha}`;
}

/** For files: `alpha` only where there is one. */
export function candidatePlace({ step, alpha }: Place): Place {
  return alpha === undefined ? { step } : { step, alpha };
}

/** As `choice.json` holds it. */
export function describeChoice({ kept, candidates, difference, verdict }: Choice, metric: string): object {
  return {
    verdict,
    metric,
    kept: candidatePlace(kept),
    candidates: candidates.map((one) => ({ ...candidatePlace(one), figures: one.figures })),
    ...(difference ? { difference } : {}),
  };
}

/** Writes `choice.json`, or removes that of an earlier run where nothing was chosen. */
export async function writeChoice(folder: string, choice: Choice | undefined, metric: string): Promise<void> {
  const path = join(folder, "choice.json");
  if (choice) await writeJsonAtomic(path, describeChoice(choice, metric));
  else await rm(path, { force: true });
}

/**
 * Chooses the base or the best of the others; of equals the first, so that the base's figure is never better than that of what is kept.
 *
 * The interval takes no account of the choice among several on the same questions: with many candidates it is a little too narrow.
 */
export function choose(base: Candidate, candidates: readonly Candidate[], options: ChoiceOptions): Choice {
  const { metric, greaterIsBetter, keepBaseUnless, sources } = options;
  const figure = ({ figures }: Candidate): number => figures[metric] as number;
  const isBetter = (one: Candidate, other: Candidate): boolean =>
    greaterIsBetter ? figure(one) > figure(other) : figure(one) < figure(other);
  let best: Candidate | undefined;
  for (const other of candidates) if (best === undefined || isBetter(other, best)) best = other;
  const title = figureTitle(metric);
  const from = figure(base).toFixed(3);
  if (best === undefined || !isBetter(best, base)) {
    const reached = best ? `; the best after training is ${figure(best).toFixed(3)}, ${candidateName(best)}` : "";
    const verdict = `No checkpoint beat the base: ${title} on the eval questions is ${from} before training${reached}. The base is kept. ${ADVICE}`;
    return { kept: base, candidates, difference: undefined, verdict };
  }
  const paired = pairedDifference(base.values, best.values, sources ? { sources } : {});
  const { difference, low, high, wins, losses, n } = paired;
  const over = paired.sources === undefined ? {} : { sources: paired.sources };
  const isKnown = Number.isFinite(low);
  const compared = { mean: difference, ...(isKnown ? { low, high } : {}), wins, losses, questions: n, ...over };
  const change = `${title} ${from} to ${figure(best).toFixed(3)} on ${n} eval questions, difference ${signed(difference)}, ${isKnown ? `95 % interval${paired.sources === undefined ? "" : ` by source (${paired.sources})`} ${signed(low)} to ${signed(high)}` : "no interval of a single question"}`;
  const isSignificant = greaterIsBetter ? low > 0 : high < 0;
  const subject = candidateName(best).replace(/^s/, "S");
  if (isSignificant) {
    return {
      kept: best,
      candidates,
      difference: compared,
      verdict: `${subject} beats the base beyond chance: ${change}.`,
    };
  }
  const [kept, what] =
    keepBaseUnless === "significant"
      ? [
          base,
          best.alpha === undefined
            ? `The base is kept; ${candidateName(best)} stays in its folder.`
            : "The base is kept.",
        ]
      : [best, `${candidateName(best)} is kept; keep_base_unless significant would keep the base.`];
  const verdict = `${subject} does not beat the base beyond chance: ${change}. ${what} ${ADVICE}`;
  return { kept, candidates, difference: compared, verdict };
}
