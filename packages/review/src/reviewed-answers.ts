import { join } from "node:path";
import {
  type Document,
  type Prediction,
  pathKind,
  predictionSchema,
  questionId,
  readJsonl,
  streamJsonl,
  type TurnRow,
  turnFileRowSchema,
  UserError,
} from "@rag-ft/core";
import { z } from "zod";

/** An answer that is to be labelled, of a test or of a user's turn. */
export interface ReviewedAnswer {
  /** That of a test's question; of a turn its id. */
  question_id: string;
  question: string;
  history: { speaker: string; message: string }[];
  generated_answer: string;
  retrieved: readonly Document[];
  /** Known of a test's question alone. */
  gold?: { answer: string; passages: readonly Document[] };
}

function ofPrediction(prediction: Prediction): ReviewedAnswer {
  const { question_id, question, chat_history, gold_docs, retrieved_docs, gold_answer, generated_answer } = prediction;
  return {
    // Files of earlier versions have no ids written down.
    question_id: question_id ?? questionId(prediction as Parameters<typeof questionId>[0]),
    question,
    history: (chat_history ?? []) as ReviewedAnswer["history"],
    generated_answer,
    retrieved: retrieved_docs,
    gold: { answer: gold_answer, passages: gold_docs },
  };
}

function ofTurn({ id, question, chat_history, answer, passages }: TurnRow): ReviewedAnswer {
  return { question_id: id, question, history: chat_history, generated_answer: answer, retrieved: passages };
}

const PREDICTIONS = "test-predictions.jsonl";
const TURNS = "turns.jsonl";

async function answersPath(given: string): Promise<string> {
  if ((await pathKind(given)) !== "folder") return given;
  const names = [PREDICTIONS, TURNS];
  for (const name of names) if ((await pathKind(join(given, name))) === "file") return join(given, name);
  throw new UserError(
    `${join(given, PREDICTIONS)}: no such file, and no ${TURNS} either. Give the folder that test-e2e wrote to, or the run's folder in which serve kept turns.`,
  );
}

const WHAT = "predictions of test-e2e (test-predictions.jsonl), or turns of serve (turns.jsonl)";

/** Whether the file's first line is one that `serve` writes. */
async function holdsTurns(path: string): Promise<boolean> {
  for await (const { row } of streamJsonl(path, z.looseObject({}), { what: WHAT })) return "kind" in row;
  return false;
}

/** Reads predictions of a test, or turns of `serve`; a folder stands for the file in it. */
export async function readAnswers(given: string): Promise<{ path: string; answers: ReviewedAnswer[] }> {
  const path = await answersPath(given);
  if (await holdsTurns(path)) {
    const rows = await readJsonl(path, turnFileRowSchema, { what: "turns and votes of serve (turns.jsonl)" });
    const turns = new Map(rows.flatMap((row) => (row.kind === "turn" ? [[row.id, row] as const] : [])));
    return { path, answers: [...turns.values()].map(ofTurn) };
  }
  return { path, answers: (await readJsonl(path, predictionSchema, { what: WHAT })).map(ofPrediction) };
}

/** Tells two answers to the same question apart. */
export function answerKey({
  question_id,
  generated_answer,
}: Pick<ReviewedAnswer, "question_id" | "generated_answer">): string {
  return JSON.stringify([question_id, generated_answer]);
}
