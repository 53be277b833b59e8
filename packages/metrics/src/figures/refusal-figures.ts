import type { FigureRow } from "./figure.js";

/** A question as it was asked once, with some passages. */
export interface Asking {
  /** Whether the passages hold what is needed: each gold passage, or one that holds it. */
  answerable: boolean;
  /** Whether the answer says that there is none. */
  refused: boolean;
  /** Whether the answer is right; undefined where nothing says so. */
  right?: boolean | undefined;
}

export type AskingOutcome = "answered_rightly" | "answered_wrongly" | "refused_rightly" | "refused_wrongly";

/** What came of an asking; any answer from passages that hold none is wrong. Undefined where it is not known whether an answer is right. */
export function outcomeOf({ answerable, refused, right }: Asking): AskingOutcome | undefined {
  if (refused) return answerable ? "refused_wrongly" : "refused_rightly";
  if (!answerable) return "answered_wrongly";
  return right === undefined ? undefined : right ? "answered_rightly" : "answered_wrongly";
}

/** Share of the askings that `counts` takes, of those for which it says anything; undefined without any. */
function shareOf(askings: readonly Asking[], counts: (asking: Asking) => boolean | undefined): number | undefined {
  const known = askings.flatMap((asking) => counts(asking) ?? []);
  return known.length === 0 ? undefined : known.filter(Boolean).length / known.length;
}

const ofOutcome =
  (wanted: AskingOutcome) =>
  (askings: readonly Asking[]): number | undefined =>
    shareOf(askings, (asking) => {
      const outcome = outcomeOf(asking);
      return outcome === undefined ? undefined : outcome === wanted;
    });

const ANSWER = { part: "answer", share: true } as const;

/** Figures of a question that was asked several times, from passages that hold its answer and from such that do not. The first four add up to 1. */
export const REFUSAL_FIGURES: readonly FigureRow<readonly Asking[]>[] = [
  {
    ...ANSWER,
    key: "answered_rightly",
    title: "answered rightly",
    about:
      "with `no_answer_eval`, of all askings: an answer that is right, from passages that hold it; right as the judge says, without one by a ROUGE-L of at least 0.3",
    better: "greater",
    level: "narrow",
    of: ofOutcome("answered_rightly"),
  },
  {
    ...ANSWER,
    key: "refused_rightly",
    title: "refused rightly",
    about: "likewise: a refusal, from passages that do not hold the answer",
    better: "greater",
    level: "narrow",
    of: ofOutcome("refused_rightly"),
  },
  {
    ...ANSWER,
    key: "answered_wrongly",
    title: "answered wrongly",
    about: "likewise: an answer that is not right, or any from passages that do not hold one",
    better: "less",
    level: "wide",
    of: ofOutcome("answered_wrongly"),
  },
  {
    ...ANSWER,
    key: "refused_wrongly",
    title: "refused wrongly",
    about: "likewise: a refusal, from passages that hold the answer",
    better: "less",
    level: "wide",
    of: ofOutcome("refused_wrongly"),
  },
  {
    ...ANSWER,
    key: "refused_without_gold",
    title: "refused without the gold passage",
    about: "share of refusals, of the askings whose passages do not hold the answer",
    better: "greater",
    level: "own",
    of: (askings) => shareOf(askings, ({ answerable, refused }) => (answerable ? undefined : refused)),
  },
  {
    ...ANSWER,
    key: "refused_with_gold",
    title: "refused with the gold passage",
    about: "share of refusals, of the askings whose passages hold the answer",
    better: "less",
    level: "own",
    of: (askings) => shareOf(askings, ({ answerable, refused }) => (answerable ? refused : undefined)),
  },
];
