import { join } from "node:path";
import {
  type Document,
  documentKey,
  hashText,
  type QaRow,
  type QuestionsRow,
  readDocuments,
  type StageContext,
  type StageResult,
  type TurnRow,
  throwIfCancelled,
  UserError,
  writeJsonl,
} from "@rag-ft/core";
import { type EarlierSet, readEarlierSet } from "./earlier-set.js";
import { type SupportedTurn, supportedTurn } from "./gold-passage.js";
import { JUDGED_BAD, type JudgedTurns, readJudgedTurns } from "./judged-turns.js";
import type { CollectSettings } from "./settings.js";

type NewSplit = "train" | "eval";

/** Why a turn is not collected. */
const REASONS = {
  ...JUDGED_BAD,
  unsupported: "no passage has enough of the answer's words",
  gone: "their passage is no longer in the database",
  known: "their question is in the data set already",
  test: "their passage is held out for the test",
} as const;

type Reason = keyof typeof REASONS;

/** A share that a passage alone decides, in [0, 1). */
function shareOf(key: string): number {
  return Number.parseInt(hashText(key).slice(0, 8), 16) / 2 ** 32;
}

/** A passage's questions are all of one split: that of the data set, else by its hash. */
function splitFor(gold: Document, { splitOf }: EarlierSet, evalShare: number): NewSplit | "test" {
  const key = documentKey(gold);
  return splitOf.get(key) ?? (shareOf(key) < evalShare ? "eval" : "train");
}

function rowsOf(
  { turn, by }: JudgedTurns["good"][number],
  { gold, negatives, support }: SupportedTurn,
  most: number,
): { asked: QuestionsRow; answered: QaRow } {
  const made = {
    source: "turns",
    turn: turn.id,
    generator: turn.generator,
    support,
    judged_by: by,
    split_by: "passage",
  };
  const shared = {
    gold_docs: [gold],
    hard_neg_docs: negatives.slice(0, most),
    chat_history: turn.chat_history,
    question_provenance: made,
  };
  return {
    asked: { ...shared, questions: [turn.question] },
    answered: { ...shared, question: turn.question, gold_answer: turn.answer },
  };
}

interface Collected {
  questions: Record<NewSplit, QuestionsRow[]>;
  answers: Record<NewSplit, QaRow[]>;
  left: { turn: TurnRow; reason: Reason }[];
}

function collectTurns(
  { good, bad }: JudgedTurns,
  set: EarlierSet,
  database: ReadonlySet<string> | undefined,
  settings: CollectSettings,
): Collected {
  const collected: Collected = {
    questions: { train: [], eval: [] },
    answers: { train: [], eval: [] },
    left: [...bad],
  };
  for (const judged of good) {
    const { turn } = judged;
    const supported = supportedTurn(turn, settings.min_support);
    const reasonOf = (): Reason | undefined => {
      if (!supported) return "unsupported";
      if (database && !database.has(documentKey(supported.gold))) return "gone";
      if (splitFor(supported.gold, set, settings.eval_share) === "test") return "test";
      // A follow-up means something else in another dialogue.
      return turn.chat_history.length === 0 && set.asked.same(turn.question).length > 0 ? "known" : undefined;
    };
    const reason = reasonOf();
    if (reason) collected.left.push({ turn, reason });
    if (reason || !supported) continue;
    const split = splitFor(supported.gold, set, settings.eval_share) as NewSplit;
    const { asked, answered } = rowsOf(judged, supported, settings.max_hard_negatives);
    collected.questions[split].push(asked);
    collected.answers[split].push(answered);
    set.asked.add(turn.question);
  }
  return collected;
}

/** Writes the data set: what it was, then what is new; the test as it was. */
async function writeSet(folder: string, set: EarlierSet, { questions, answers }: Collected): Promise<string[]> {
  const files: [name: string, rows: readonly unknown[]][] = [
    ["train_w_q", [...(set.questions.train ?? []), ...questions.train]],
    ["eval_w_q", [...(set.questions.eval ?? []), ...questions.eval]],
    ["train_w_qa", [...(set.answers.train ?? []), ...answers.train]],
    ["eval_w_qa", [...(set.answers.eval ?? []), ...answers.eval]],
    ...(set.questions.test ? [["test_w_q", set.questions.test] as [string, unknown[]]] : []),
    ...(set.answers.test ? [["test_w_qa", set.answers.test] as [string, unknown[]]] : []),
  ];
  const written: string[] = [];
  for (const [name, rows] of files) {
    const path = join(folder, `${name}.jsonl`);
    await writeJsonl(path, rows);
    written.push(path);
  }
  return written;
}

/** How often each reason, those alone that there are, in the order of the table. */
function countReasons(left: Collected["left"]): [reason: Reason, count: number][] {
  const counts = (Object.keys(REASONS) as Reason[]).map((reason): [Reason, number] => [
    reason,
    left.filter((one) => one.reason === reason).length,
  ]);
  return counts.filter(([, count]) => count > 0);
}

/** Turns that people found right become rows to train and choose with. */
export async function runCollect(settings: CollectSettings, { signal }: StageContext): Promise<StageResult> {
  const judged = await readJudgedTurns(settings.turns, settings.labels_file);
  const set = await readEarlierSet(settings.dataset);
  const database =
    settings.document_path === undefined
      ? undefined
      : new Set((await readDocuments(settings.document_path)).map(documentKey));
  throwIfCancelled(signal);
  const collected = collectTurns(judged, set, database, settings);
  const { train, eval: held } = collected.questions;
  const found = train.length + held.length;
  const reasons = countReasons(collected.left);
  const why = reasons.map(([reason, count]) => `${count}: ${REASONS[reason]}`);
  const turns = judged.good.length + judged.bad.length;
  if (found === 0) {
    throw new UserError(
      `${settings.turns}: nothing to collect of ${turns} turns${turns === 0 ? "" : ` (${why.join("; ")})`}. Vote on the chat page, or label with rag-ft review.`,
    );
  }
  const outputs = await writeSet(settings.save_dir, set, collected);
  const leftOut = join(settings.save_dir, "left_out.jsonl");
  await writeJsonl(
    leftOut,
    collected.left.map(({ turn, reason }) => ({ turn: turn.id, question: turn.question, reason })),
  );
  const byLabel = judged.good.filter(({ by }) => by === "label").length;
  return {
    outputs: [...outputs, leftOut],
    figures: {
      train: train.length,
      eval: held.length,
      turns,
      labelled_good: byLabel,
      voted_good: judged.good.length - byLabel,
      ...Object.fromEntries(reasons),
    },
    summary: [
      `${found} of ${turns} turns are collected: ${train.length} for training, ${held.length} for eval. ${byLabel} were found good by reviewers, ${judged.good.length - byLabel} by their users.`,
      ...why.map((line) => `left out, ${line}`),
      ...(why.length > 0 ? [`which they are: ${leftOut}`] : []),
    ].join("\n"),
  };
}
