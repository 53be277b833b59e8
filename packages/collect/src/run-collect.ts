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
import { readJudgedTurns } from "./judged-turns.js";
import type { CollectSettings } from "./settings.js";

type NewSplit = "train" | "eval";

/** Why a turn that was voted up is not collected. */
const REASONS = {
  unsupported: "no passage has enough of the answer's words",
  gone: "their passage is no longer in the database",
  known: "their question is in the data set already",
  test: "their passage is held out for the test",
} as const;

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
  turn: TurnRow,
  { gold, negatives, support }: SupportedTurn,
  most: number,
): { asked: QuestionsRow; answered: QaRow } {
  const made = { source: "turns", turn: turn.id, generator: turn.generator, support, split_by: "passage" };
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
  left: Record<keyof typeof REASONS, number>;
}

function collectTurns(
  turns: readonly TurnRow[],
  set: EarlierSet,
  database: ReadonlySet<string> | undefined,
  settings: CollectSettings,
): Collected {
  const collected: Collected = {
    questions: { train: [], eval: [] },
    answers: { train: [], eval: [] },
    left: { unsupported: 0, gone: 0, known: 0, test: 0 },
  };
  for (const turn of turns) {
    const supported = supportedTurn(turn, settings.min_support);
    const reason = (): keyof typeof REASONS | undefined => {
      if (!supported) return "unsupported";
      if (database && !database.has(documentKey(supported.gold))) return "gone";
      if (splitFor(supported.gold, set, settings.eval_share) === "test") return "test";
      // A follow-up means something else in another dialogue.
      return turn.chat_history.length === 0 && set.asked.same(turn.question).length > 0 ? "known" : undefined;
    };
    const left = reason();
    if (left) collected.left[left]++;
    if (left || !supported) continue;
    const split = splitFor(supported.gold, set, settings.eval_share) as NewSplit;
    const { asked, answered } = rowsOf(turn, supported, settings.max_hard_negatives);
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

/** Turns that users found right become rows to train and choose with. */
export async function runCollect(settings: CollectSettings, { signal }: StageContext): Promise<StageResult> {
  const { up, down, flagged, unjudged } = await readJudgedTurns(settings.turns);
  const set = await readEarlierSet(settings.dataset);
  const database =
    settings.document_path === undefined
      ? undefined
      : new Set((await readDocuments(settings.document_path)).map(documentKey));
  throwIfCancelled(signal);
  const collected = collectTurns(up, set, database, settings);
  const { train, eval: held } = collected.questions;
  const found = train.length + held.length;
  const left = Object.entries(collected.left).filter(([, count]) => count > 0);
  const why = left.map(([reason, count]) => `${count}: ${REASONS[reason as keyof typeof REASONS]}`);
  if (found === 0) {
    throw new UserError(
      `${settings.turns}: nothing to collect. ${up.length} turns were voted up (${[`${down} down`, `${flagged} flagged`, `${unjudged} without a vote`, ...why].join("; ")}).`,
    );
  }
  const outputs = await writeSet(settings.save_dir, set, collected);
  const lines = [
    `${found} of ${up.length} turns that were voted up are collected: ${train.length} for training, ${held.length} for eval.`,
    ...why.map((line) => `left out, ${line}`),
    `not looked at: ${down} voted down, ${flagged} flagged, ${unjudged} without a vote`,
  ];
  return {
    outputs,
    figures: {
      train: train.length,
      eval: held.length,
      voted_up: up.length,
      down,
      flagged,
      unjudged,
      ...collected.left,
    },
    summary: lines.join("\n"),
  };
}
