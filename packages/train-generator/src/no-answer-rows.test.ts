import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, type Document, silentReporter, writeJsonl } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { noAnswerRows, type RowInContext, readNotInPassage } from "./no-answer-rows.js";

const passage = (text: string, source: string): Document => createDocument(text, { source });
const rowOf = (i: number, gold: Document): RowInContext["row"] => ({
  gold_docs: [gold],
  hard_neg_docs: [],
  chat_history: [],
  question: `Question ${i}?`,
  gold_answer: `Answer ${i}`,
  line: i + 1,
});
/** Each question finds its gold passage, a copy of it and three of other pages. */
const rows = Array.from({ length: 18 }, (_, i): RowInContext => {
  const gold = passage(`Cable number ${i} of the great box is coloured in shade ${i * 7}`, `page-${i}`);
  const copy = passage(`${gold.page_content} again`, `copy-${i}`);
  const others = [1, 2, 3].map((k) =>
    passage(`Something ${k} else about planes, trains and boats`, `page-${(i + k) % 18}`),
  );
  return { row: rowOf(i, gold), retrieved: [gold, copy, ...others] };
});
const options = { share: 0.1, passages: 2, text: "Not said.", seed: 3 };

describe("noAnswerRows", () => {
  it("are the share of all rows, without gold passage and near-duplicates, and say that there is no answer", () => {
    const { rows: added, wanted, apart } = noAnswerRows(rows, undefined, options);
    expect({ wanted, apart, share: added.length / (added.length + rows.length) }).toEqual({
      wanted: 2,
      apart: 0,
      share: 0.1,
    });
    for (const { row, retrieved } of added) {
      expect(row).toMatchObject({ gold_docs: [], gold_answer: "Not said." });
      expect(retrieved).toEqual(rows[row.line - 1]?.retrieved.slice(2, 4));
    }
    expect(noAnswerRows(rows, undefined, options).rows).toEqual(added);
    const lines = (seed: number): number[] =>
      noAnswerRows(rows, undefined, { ...options, share: 0.4, seed }).rows.map(({ row }) => row.line);
    expect(lines(1)).not.toEqual(lines(2));
    expect(new Set(lines(1)).size).toBe(12);
  });

  it("half of them at most are questions that were set apart, beside passages of other pages", () => {
    const gold = passage("This page does not say it", "page-1");
    const file = { file: "apart.jsonl", rows: Array.from({ length: 9 }, (_, i) => rowOf(100 + i, gold)) };
    const { rows: added, apart } = noAnswerRows(rows, file, { ...options, share: 0.4 });
    expect([added.length, apart]).toEqual([12, 6]);
    const fromFile = added.filter((one) => one.file !== undefined);
    expect(fromFile).toHaveLength(6);
    for (const { row, retrieved, file: name } of fromFile) {
      expect([row.gold_docs, row.gold_answer, name]).toEqual([[gold], "Not said.", "apart.jsonl"]);
      expect(retrieved.length).toBeGreaterThan(1);
      expect(retrieved.map(({ metadata }) => metadata.source)).not.toContain("page-1");
    }
  });

  it("are fewer where nothing else was retrieved", () => {
    const alone = rows.map(({ row, retrieved }) => ({ row, retrieved: retrieved.slice(0, 2) }));
    expect(noAnswerRows(alone, undefined, options)).toMatchObject({ rows: [], wanted: 2 });
  });
});

describe("readNotInPassage", () => {
  it("is the file beside the answers, if any; one that is named has to be there", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rag-ft-apart-"));
    try {
      const train_file = join(folder, "train_w_qa.jsonl");
      expect(await readNotInPassage({ train_file }, silentReporter)).toBeUndefined();
      const beside = join(folder, "train_not_in_passage.jsonl");
      await writeJsonl(beside, [rowOf(0, passage("a", "b"))]);
      expect(await readNotInPassage({ train_file }, silentReporter)).toMatchObject({
        file: beside,
        rows: [{ line: 1 }],
      });
      const named = readNotInPassage({ train_file, no_answer_file: join(folder, "no.jsonl") }, silentReporter);
      await expect(named).rejects.toThrow(/no_answer_file: .*no\.jsonl is no file\. Name the \*_not_in_passage/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
