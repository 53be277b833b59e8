import { expect, it } from "vitest";
import { figuresByKind, flatKinds, kindsTable } from "./by-kind.js";

const question = (kind: string | undefined, recall: number, source = "a") => ({
  kind,
  figures: { "test_retr/document_recall/recall4": recall, "test_gen/rouge2": recall / 2 },
  source,
});

it("figures of each kind, in the order of kinds, with a line each", () => {
  const kinds = figuresByKind([
    question("follow_up", 0),
    question("keywords", 1, "b"),
    question("full", 1),
    question("keywords", 0, "c"),
    question(undefined, 1),
  ]);
  expect(
    kinds.map(({ kind, questions, estimates }) => [
      kind,
      questions,
      estimates["test_retr/document_recall/recall4"]?.mean,
    ]),
  ).toEqual([
    ["full", 1, 1],
    ["keywords", 2, 1 / 2],
    ["follow_up", 1, 0],
    ["not said", 1, 1],
  ]);
  const table = kindsTable(kinds);
  expect(table.split("\n")[0]).toMatch(/^kind +questions +recall@4$/);
  expect(table).toMatch(/^keywords +2 +0\.500 \(0\.\d\d to 0\.\d\d\)$/m);
  expect(flatKinds(kinds).keywords).toMatchObject({
    questions: 2,
    figures: {
      "test_retr/document_recall/recall4": 1 / 2,
      "test_retr/document_recall/recall4_ci95": [expect.any(Number), expect.any(Number)],
    },
  });
});

it("none where there is one kind, or none is said", () => {
  expect(figuresByKind([question("full", 1), question("full", 0)])).toEqual([]);
  expect(figuresByKind([question(undefined, 1), question(undefined, 0)])).toEqual([]);
});
