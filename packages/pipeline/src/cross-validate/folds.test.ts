import { createDocument, type QuestionsRow, UserError } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { foldsBySource } from "./folds.js";

const row = (source: string, part: number, questions = 1): QuestionsRow => ({
  gold_docs: [createDocument(`${source} ${part}`, { source })],
  hard_neg_docs: [],
  chat_history: [],
  questions: Array.from({ length: questions }, (_, i) => `${source} ${part} ${i}?`),
});

const sources = (rows: readonly QuestionsRow[]): Set<string> =>
  new Set(rows.map(({ gold_docs }) => gold_docs[0]?.metadata.source ?? ""));
const questions = (rows: readonly QuestionsRow[]): string[] => rows.flatMap((one) => one.questions);

describe("foldsBySource", () => {
  // 20 sources of 1 to 5 questions in up to three rows: 60 questions.
  const rows = Array.from({ length: 20 }, (_, i) => [
    row(`s${i}`, 0),
    ...(i % 5 > 0 ? [row(`s${i}`, 1, i % 5)] : []),
  ]).flat();

  it("measures each question once, and never on a source that was trained on or chose", () => {
    const folds = foldsBySource(rows, 4, 7);
    expect(folds.flatMap(({ test }) => questions(test)).sort()).toEqual(questions(rows).sort());
    for (const { train, eval: chosen, test } of folds) {
      expect([...questions(train), ...questions(chosen), ...questions(test)].sort()).toEqual(questions(rows).sort());
      const all = [sources(train), sources(chosen), sources(test)];
      expect(new Set(all.flatMap((one) => [...one])).size).toBe(all.reduce((sum, one) => sum + one.size, 0));
      expect(questions(test).length).toBe(15);
    }
  });

  it("depends on the seed alone", () => {
    expect(foldsBySource(rows, 4, 7)).toEqual(foldsBySource(rows, 4, 7));
    expect(foldsBySource(rows, 4, 7)).not.toEqual(foldsBySource(rows, 4, 8));
  });

  it("refuses fewer sources than folds; a row without a question is no source", () => {
    expect(() => foldsBySource([row("a", 0), row("b", 0), row("c", 0, 0)], 3, 0)).toThrow(UserError);
    expect(() => foldsBySource([row("a", 0), row("b", 0), row("c", 0, 0)], 3, 0)).toThrow(/2 sources/);
  });
});
