import { expect, it } from "vitest";
import { describeSplit, SPLIT_PROCEDURES, splitProcedureOf, withSplitProcedure } from "./split-procedure.js";

const made = (split_by: unknown) => ({ question: "Why?", question_provenance: { prompt: "x", split_by } });

it("takes the procedure from the rows, whoever passed them on", () => {
  for (const procedure of SPLIT_PROCEDURES) {
    expect(splitProcedureOf([made(procedure), made(procedure)])).toBe(procedure);
    expect(splitProcedureOf([{ split_by: procedure }])).toBe(procedure);
    expect(describeSplit(procedure)).toContain(`Split by ${procedure}`);
  }
});

it("calls it unknown where rows do not say it, or say something else", () => {
  for (const row of [{}, { question_provenance: null }, { question_provenance: {} }, made("page"), made(3)])
    expect(splitProcedureOf([row])).toBe("unknown");
  expect(splitProcedureOf([])).toBe("unknown");
  for (const nothing of [undefined, "unknown", "", 3])
    expect(describeSplit(nothing)).toBe("Split: unknown (made elsewhere).");
});

it("names all procedures of rows that were put together", () => {
  const mixed = splitProcedureOf([{}, made("source"), made("passage"), made("source")]);
  expect(mixed).toBe("passage, source, unknown");
  expect(describeSplit(mixed)).toContain("several ways (passage, source, unknown)");
});

it("lets a later split take the place of an earlier one, and keeps the rest of the row", () => {
  const row = withSplitProcedure(made("question"), "source");
  expect(splitProcedureOf([row])).toBe("source");
  expect(row).toMatchObject({ question: "Why?", question_provenance: { prompt: "x" } });
  expect(splitProcedureOf([withSplitProcedure({ question_provenance: null }, "source")])).toBe("source");
});
