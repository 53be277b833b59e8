import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeJsonAtomic, writeJsonl } from "@rag-ft/core";

const CELLS = [
  ["none", "base", 0.1],
  ["base", "base", 0.25],
  ["tuned", "base", 0.5],
  ["gold", "base", 0.6],
  ["none", "tuned", 0.2],
  ["base", "tuned", 0.55],
  ["tuned", "tuned", 0.75],
  ["gold", "tuned", 0.9],
] as const;

/** Adds to a small run's second test what `compare_base` writes, and a figure for each question to all predictions. */
export async function writeTwoByTwo(folder: string): Promise<void> {
  const test = join(folder, "test-1");
  const text = await readFile(join(test, "test-predictions.jsonl"), "utf8");
  const rows = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const cells = CELLS.map(([passages, generator, value]) => ({
    name: `${passages}_${generator}`,
    label: `${passages} passages, ${generator} generator`,
    passages,
    generator,
    folder: passages === "tuned" && generator === "tuned" ? "." : `cells/${passages}_${generator}`,
    figures: { "test_gen/rougeL": value, "test_gen/rougeL_ci95": [value - 0.05, value + 0.05] as [number, number] },
  }));
  for (const cell of cells) {
    const value = cell.figures["test_gen/rougeL"];
    const retrieved = cell.passages === "base" || cell.passages === "tuned";
    const own = rows.map((row, i) => ({
      ...row,
      generated_answer: `by ${cell.name}`,
      passages: retrieved ? "retrieved" : cell.passages,
      ...(retrieved ? {} : { retrieved_docs: [], retrieval_scores: [] }),
      figures: { "test_gen/rougeL": value + (i % 2 === 0 ? 0.01 : -0.01) },
    }));
    await writeJsonl(join(test, cell.folder, "test-predictions.jsonl"), own);
    await writeJsonAtomic(join(test, cell.folder, "score.json"), { ...cell.figures, num_questions: rows.length });
  }
  await writeJsonAtomic(join(test, "two-by-two.json"), {
    version: 1,
    questions: rows.length,
    models: { retriever: { base: "r0", tuned: "r1" }, generator: { base: "g0", tuned: "g1" } },
    cells,
    effects: [
      {
        part: "retriever",
        from: "base_tuned",
        to: "tuned_tuned",
        figure: "test_gen/rougeL",
        difference: 0.2,
        ci95: [0.1, 0.3],
        p_value: 0.0123,
        wins: 3,
        losses: 0,
        ties: 1,
      },
    ],
  });
}
