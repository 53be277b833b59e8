import { searchName } from "@rag-ft/core";
import { figuresAmong } from "./figures/figure-names.js";

/*
 * What a run says, in sentences: whether the fine-tuned system is better, which system is best, what to do next.
 *
 * 1. One figure decides of answers: a judge's where there is one, else the first that compares words. One of the search: the deepest recall.
 * 2. Better or worse is what the 95 % interval of the paired difference says; where it holds 0, nothing is settled.
 * 3. The best search is the one that finds most of those that were measured on the same questions.
 * 4. Next steps follow from these, the most pressing first, three at most.
 */

/** A figure of base and fine-tuned on the same held-out questions; more is better. */
export interface CompareFigure {
  /** `search`: passages as each system looked for them; `retriever`: by vectors alone. */
  part: "answer" | "judge" | "search" | "retriever";
  /** `ROUGE-L`, `recall@4`. */
  title: string;
  base: number;
  tuned: number;
  /** 95 % interval of the difference, question by question. */
  interval?: readonly [low: number, high: number];
  questions: number;
}

/** A search that was measured on the test questions. */
export interface MeasuredSearch {
  /** `vectors`, `BM25`, `vectors + 0.5 BM25`. */
  name: string;
  /** Its recall, the deepest that all have. */
  recall: number;
  /** Whether the fine-tuned system searched so. */
  used: boolean;
}

type Figures = Readonly<Record<string, unknown>>;

/** Figures on the retriever's test questions, by their names in files: of the fine-tuned vectors, of BM25, and of both (with `bm25_weight`). */
export interface SearchFigures {
  best: Figures;
  bm25?: Figures | undefined;
  hybrid?: Figures | undefined;
}

/** A retriever's recalls among the figures of a file. */
export const recallsAmong = (figures: Figures) =>
  figuresAmong(Object.keys(figures)).filter(({ key, depth }) => key === `recall@${depth}`);

/** Searches by their deepest recall; `used` names that of the fine-tuned system. */
export function measuredSearches({ best, bm25, hybrid }: SearchFigures, used: string): MeasuredSearch[] {
  const deepest = recallsAmong(best).sort((a, b) => (b.depth ?? 0) - (a.depth ?? 0))[0]?.name ?? "";
  const weight = hybrid?.bm25_weight;
  const searches = [
    { name: searchName({ retrieval: "dense" }), recall: best[deepest] },
    { name: searchName({ retrieval: "bm25" }), recall: bm25?.[deepest] },
    {
      name: searchName({ retrieval: "hybrid", bm25_weight: typeof weight === "number" ? weight : undefined }),
      recall: hybrid?.[deepest],
    },
  ];
  return searches.flatMap(({ name, recall }) =>
    typeof recall === "number" ? [{ name, recall, used: name === used }] : [],
  );
}

export interface RunFigures {
  figures: readonly CompareFigure[];
  /** Sources that the questions share, where intervals are by source; else 0. */
  sources: number;
  /** Searches with the fine-tuned retriever, and BM25. */
  searches: readonly MeasuredSearch[];
  /** What words add to the fine-tuned vectors on the eval questions. */
  overDense?: { gain: number; low: number; high: number };
  /** Folder of the fine-tuned system's test, to be named in commands. */
  testFolder?: string;
  /** Share of the answers that people labelled correct, where some did. */
  labelled?: { correct: number; answers: number };
}

export interface RunVerdict {
  /** Whether the fine-tuned system is better, and by which figure. */
  verdict: string;
  best?: string;
  next: string[];
}

type State = "better" | "worse" | "unsettled" | "unknown";

/** Below this share of questions whose passage is found, search is what holds answers back. */
const ENOUGH_RECALL = 0.8;
/** More times the questions than this for a difference as small as the present one: it is taken for none. */
const MOST_TIMES = 20;
const MOST_STEPS = 3;

function stateOf({ interval }: CompareFigure): State {
  if (!interval) return "unknown";
  if (interval[0] > 0) return "better";
  return interval[1] < 0 ? "worse" : "unsettled";
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const signed = (value: number, digits: number): string => `${value > 0 ? "+" : ""}${value.toFixed(digits)}`;

function numbersOf({ title, base, tuned, interval, questions }: CompareFigure, sources: number): string {
  const over = `${questions} questions${sources > 0 ? ` of ${sources} sources` : ""}`;
  const range = interval ? `95 % interval ${signed(interval[0], 2)} to ${signed(interval[1], 2)}, ` : "no interval, ";
  return `${title} ${base.toFixed(3)} to ${tuned.toFixed(3)}, ${signed(tuned - base, 3)} (${range}${over})`;
}

const ANSWERS: Readonly<Record<State, string>> = {
  better: "The fine-tuned system answers better than the base, beyond chance",
  worse: "The fine-tuned system answers worse than the base, beyond chance",
  unsettled: "Whether the fine-tuned system answers better than the base is not settled",
  unknown: "How sure the change of the answers is cannot be told",
};

/** `who`: the system spoken of before, or the retriever where it is all that there is. */
const FINDS: Readonly<Record<State, (who: "it" | "the fine-tuned retriever") => string>> = {
  better: (who) => `${capitalised(who)} finds more of the passages that answer, beyond chance`,
  worse: (who) => `${capitalised(who)} finds fewer of the passages that answer, beyond chance`,
  unsettled: (who) => `Whether ${who} finds more of the passages that answer is not settled`,
  unknown: () => "How sure the change of the search is cannot be told",
};

/** Recall at the deepest depth of one part. */
function deepestRecall(figures: readonly CompareFigure[], part: CompareFigure["part"]): CompareFigure | undefined {
  const depth = ({ title }: CompareFigure): number => Number(/^recall@(\d+)$/.exec(title)?.[1] ?? 0);
  const recalls = figures.filter((figure) => figure.part === part && depth(figure) > 0);
  return recalls.reduce<CompareFigure | undefined>(
    (best, one) => (best === undefined || depth(one) > depth(best) ? one : best),
    undefined,
  );
}

interface Deciding {
  answers: CompareFigure | undefined;
  search: CompareFigure | undefined;
}

function decidingFigures(figures: readonly CompareFigure[]): Deciding {
  const first = (part: CompareFigure["part"]): CompareFigure | undefined => figures.find((one) => one.part === part);
  return {
    answers: first("judge") ?? first("answer"),
    search: deepestRecall(figures, "search") ?? deepestRecall(figures, "retriever"),
  };
}

function verdictOf({ answers, search }: Deciding, sources: number): string {
  const who = answers ? "it" : "the fine-tuned retriever";
  return [
    ...(answers ? [`${ANSWERS[stateOf(answers)]}: ${numbersOf(answers, sources)}.`] : []),
    ...(search ? [`${FINDS[stateOf(search)](who)}: ${numbersOf(search, sources)}.`] : []),
  ].join(" ");
}

/** Whether the fine-tuned half is the one to take: not where it is worse, or no better at all. */
const isKept = (figure: CompareFigure | undefined): boolean =>
  figure !== undefined && figure.tuned > figure.base && stateOf(figure) !== "worse";

function bestSearch(searches: readonly MeasuredSearch[]): MeasuredSearch | undefined {
  return searches.reduce<MeasuredSearch | undefined>(
    // Of equals the one that was used.
    (best, one) =>
      best === undefined || one.recall > best.recall || (one.recall === best.recall && one.used) ? one : best,
    undefined,
  );
}

function bestOf({ answers, search }: Deciding, { searches }: RunFigures): string | undefined {
  if (!answers && !search) return undefined;
  const half = (what: string, figure: CompareFigure | undefined): string[] =>
    figure ? [`${isKept(figure) ? "the fine-tuned" : "the base"} ${what}`] : [];
  const halves = [...half("retriever", search), ...half("generator", answers)].join(" with ");
  const best = isKept(search) ? bestSearch(searches) : undefined;
  if (!best) return `${halves}.`;
  const depth = search?.title ?? "recall";
  const others = searches.filter((one) => one !== best).map(({ name, recall }) => `${name} ${recall.toFixed(3)}`);
  const beside = others.length > 0 ? `; ${others.join(", ")}` : "";
  return `${halves}, searching by ${best.name} (${depth} ${best.recall.toFixed(3)}${beside}).`;
}

/** How many questions would tell a difference as large as this from chance: an interval's width falls with the root of their number. */
function neededQuestions({ base, tuned, interval, questions }: CompareFigure): number {
  const difference = Math.abs(tuned - base);
  const half = interval ? Math.max(tuned - base - interval[0], interval[1] - (tuned - base)) : 0;
  return 10 * Math.ceil((questions * (half / difference) ** 2) / 10 - 1e-9);
}

function searchSteps({ searches, overDense }: RunFigures): string[] {
  const used = searches.find((one) => one.used);
  const best = bestSearch(searches);
  if (overDense && overDense.low > 0 && (used === undefined || used.name === "vectors")) {
    const gain = `${signed(overDense.gain, 3)}, 95 % interval ${signed(overDense.low, 2)} to ${signed(overDense.high, 2)}`;
    return [
      `Search by vectors and words: on the eval questions that finds more than the vectors alone, beyond chance (${gain}). Set retrieval: hybrid where the model searches (train-generator, test-e2e, ask, serve).`,
    ];
  }
  if (used && best && best !== used && best.name === "BM25")
    return [
      "Words alone (BM25) find more than this search: set retrieval: hybrid, and look whether the retriever had enough questions.",
    ];
  return [];
}

function gainSteps({ answers, search }: Deciding, { sources }: RunFigures): string[] {
  const figure = answers ?? search;
  if (!figure) return [];
  const state = stateOf(figure);
  if (state === "better") return [];
  const needed = figure.tuned > figure.base ? neededQuestions(figure) : Number.POSITIVE_INFINITY;
  if (state === "unsettled" && needed <= MOST_TIMES * figure.questions)
    return [
      `Too few questions to tell: with a difference of this size about ${needed} would${sources > 0 ? ", from more sources" : ""}, here are ${figure.questions}. Raise num_eval_test_data of gen-questions, or give it more documents.`,
    ];
  if (state === "unknown")
    return ["Test base and fine-tuned on the same questions with this version, so that intervals are known."];
  return [
    "No gain: look at the questions (audit-splits finds leaks and repetitions), give more of them, mine harder negatives (mine-negatives), or lower learning_rate. Until then the base is as good.",
  ];
}

function bottleneckSteps({ answers, search }: Deciding, { searches }: RunFigures): string[] {
  const found = bestSearch(searches)?.recall ?? search?.tuned;
  if (found === undefined || !answers) return [];
  const missed = Math.round(100 * (1 - found));
  if (found < ENOUGH_RECALL)
    return [
      `Search holds answers back: the passage of ${missed} of 100 questions is not found. More questions, mined negatives or a stronger encoder help there first.`,
    ];
  const share = missed === 0 ? "nearly all questions" : `all but ${missed} of 100 questions`;
  return [
    `Passages are found for ${share}: what is left is the generator's. More answers to train on, or a larger decoder.`,
  ];
}

function judgingSteps({ answers }: Deciding, { labelled, testFolder }: RunFigures): string[] {
  if (!answers || answers.part === "judge") return [];
  if (labelled && labelled.answers > 0) return [];
  return [
    `${answers.title} compares words; whether answers are right nobody has said: label some (rag-ft review ${testFolder ?? "TEST-FOLDER"}), or have a model judge them (test-e2e --gen_gpt4eval true).`,
  ];
}

/** Puts a run's figures in sentences; undefined where base and fine-tuned were not compared. */
export function runVerdict(run: RunFigures): RunVerdict | undefined {
  const deciding = decidingFigures(run.figures);
  if (!deciding.answers && !deciding.search) return undefined;
  const { labelled, sources } = run;
  const people =
    labelled && labelled.answers > 0
      ? ` People found ${labelled.correct} of ${labelled.answers} of its labelled answers correct.`
      : "";
  const best = bestOf(deciding, run);
  return {
    verdict: verdictOf(deciding, sources) + people,
    ...(best === undefined ? {} : { best: capitalised(best) }),
    next: [
      ...gainSteps(deciding, run),
      ...searchSteps(run),
      ...bottleneckSteps(deciding, run),
      ...judgingSteps(deciding, run),
    ].slice(0, MOST_STEPS),
  };
}
