import { readFile, rm, stat } from "node:fs/promises";
import {
  CancelledError,
  predictionSchema,
  readJsonl,
  searchesSchema,
  type TwoByTwo,
  twoByTwoSchema,
  writeJsonAtomic,
  writeJsonl,
} from "@rag-ft/core";
import type { Completion } from "@rag-ft/llm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { baseSettings, comparedModels } from "./base-models.js";
import { testE2e } from "./index.js";
import { runTestE2e } from "./run-test-e2e.js";
import { createSmallTest, fakeParts, type SmallTest } from "./testing/small-test.js";

let small: SmallTest;
beforeEach(async () => {
  small = await createSmallTest();
});
afterEach(() => rm(small.path("."), { recursive: true, force: true }));

/** Both repeat the first passage they see; the base generator loses all but its first word. */
function repeats(prompt: string, model: string): Completion {
  const passage = /Content:\s*(.+)/.exec(prompt)?.[1] ?? "nothing";
  return { text: model.includes("base") ? (passage.split(" ")[0] ?? "") : passage, finish_reason: "stop" };
}

const models = {
  compare_base: "true",
  embedding_model_name_or_path: "tuned-words",
  base_embedding_model_name_or_path: "base-words",
  qa_model_name_or_path: "tuned-generator",
  base_qa_model_name_or_path: "base-generator",
};
const readTable = async (): Promise<TwoByTwo> => twoByTwoSchema.parse(await small.json("out/two-by-two.json"));

test("every combination is answered, with its files; models are opened once; the effects are those of the halves", async () => {
  const parts = fakeParts(repeats);
  const result = await runTestE2e(small.settingsOf(models), small.contextOf(), parts);
  expect(parts.generators).toEqual([
    "open tuned-generator",
    "close tuned-generator",
    "open base-generator",
    "close base-generator",
  ]);
  expect(parts.encoders.map(({ name }) => name)).toEqual(["base-words", "tuned-words"]);
  for (const { encoder } of parts.encoders) expect(encoder.calls.map(({ kind }) => kind)).toEqual(["passage", "query"]);

  const table = await readTable();
  expect(table.cells.map(({ name }) => name)).toEqual(
    ["base", "tuned"].flatMap((side) =>
      ["no-passages", "base-retriever", "tuned-retriever", "gold-passages"].map((from) => `${from}_${side}-generator`),
    ),
  );
  for (const { folder, figures, passages } of table.cells) {
    expect(await small.json(`out/${folder}/score.json`)).toEqual(figures);
    const rows = await readJsonl(small.path(`out/${folder}/test-predictions.jsonl`), predictionSchema, {
      what: "rows",
    });
    const held = { none: "none", gold: "gold", base: "retrieved", tuned: "retrieved" }[passages];
    expect(new Set(rows.map((row) => row.passages))).toEqual(new Set([held]));
    expect(rows.every((row) => row.retrieved_docs.length > 0)).toBe(held === "retrieved");
    expect(Object.keys(figures).some((name) => name.startsWith("test_retr/"))).toBe(held === "retrieved");
  }
  expect(await small.json("out/cells/base-retriever_base-generator/all_args.json")).toMatchObject({
    qa_model_name_or_path: "base-generator",
    embedding_model_name_or_path: "base-words",
    cell: "base-retriever_base-generator",
  });
  const figure = (name: string, what: string) => table.cells.find((cell) => cell.name === name)?.figures[what];
  // The base retriever knows the word "cars" alone: the first passage for every question, which is gold for the first.
  expect(figure("base-retriever_tuned-generator", "test_retr/document_recall/recall1")).toBe(1 / 3);
  expect(figure("tuned-retriever_tuned-generator", "test_retr/document_recall/recall1")).toBe(2 / 3);
  expect(figure("no-passages_tuned-generator", "test_gen/f1")).toBe(0);
  // Gold passages word for word: 3 of 3 words; 2 of 3; none of "stop now".
  expect(figure("gold-passages_tuned-generator", "test_gen/recall")).toBe(2 / 3);
  const effect = table.effects.find(
    ({ part, to, figure: name }) =>
      part === "retriever" && to === "tuned-retriever_tuned-generator" && name === "test_retr/document_recall/recall1",
  );
  expect(effect).toMatchObject({
    from: "base-retriever_tuned-generator",
    difference: expect.closeTo(1 / 3, 12),
    wins: 1,
    losses: 0,
    ties: 2,
  });
  expect(table.effects.some(({ part, figure: name }) => part === "generator" && name.startsWith("test_retr/"))).toBe(
    false,
  );
  expect(await small.json("out/score.json")).toMatchObject(result.figures ?? {});
  expect(result.summary).toMatch(/gold passages \+ tuned generator +[^\n]+\n95 % interval/);
  expect(result.outputs).toContain(small.path("out/cells/no-passages_base-generator/score.json"));
});

test("killed between and within combinations, it goes on: nothing is embedded or asked twice", async () => {
  const whole = fakeParts(repeats);
  await runTestE2e(small.settingsOf({ ...models, output_dir: small.path("whole") }), small.contextOf(), whole);

  let left = 16;
  const stopped = fakeParts((prompt, model) => {
    if (left-- === 0) throw new CancelledError("Stopped on request.");
    return repeats(prompt, model);
  });
  await expect(runTestE2e(small.settingsOf(models), small.contextOf(), stopped)).rejects.toThrow(CancelledError);
  // The tuned generator's four are finished by then, and the first of the base's.
  await stat(small.path("out/score.json"));
  await stat(small.path("out/cells/no-passages_base-generator/score.json"));
  await expect(stat(small.path("out/two-by-two.json"))).rejects.toThrow();

  const continued = fakeParts(repeats);
  await runTestE2e(small.settingsOf(models), small.contextOf(), continued);
  expect(continued.asked).toHaveLength(whole.asked.length - 16);
  for (const { encoder } of continued.encoders) expect(encoder.calls.map(({ kind }) => kind)).toEqual(["query"]);
  const figures = async (folder: string) => {
    const { cells, effects } = twoByTwoSchema.parse(await small.json(`${folder}/two-by-two.json`));
    const timeless = cells.map((cell) => Object.entries(cell.figures).filter(([name]) => !name.includes("latency_s")));
    return { timeless, effects };
  };
  expect(await figures("out")).toEqual(await figures("whole"));
});

test("where one half was tuned only, its combinations are left out; a test without comparison leaves no table behind", async () => {
  const one = { ...models, base_qa_model_name_or_path: "tuned-generator" };
  const parts = fakeParts(repeats);
  await runTestE2e(small.settingsOf(one), small.contextOf(), parts);
  expect(parts.generators).toEqual(["open tuned-generator", "close tuned-generator"]);
  const { cells, effects } = await readTable();
  expect(cells.map(({ passages }) => passages)).toEqual(["none", "base", "tuned", "gold"]);
  expect(new Set(effects.map(({ part }) => part))).toEqual(new Set(["retriever"]));
  expect(small.lines).toContainEqual(expect.stringMatching(/generator: taken as not tuned/));
  await runTestE2e(small.settingsOf({ ...one, compare_base: "false" }), small.contextOf(), fakeParts(repeats));
  await expect(stat(small.path("out/two-by-two.json"))).rejects.toThrow();
});

test("base models are read from the run records beside the tuned ones; flags overrule; without any, it says what to do", async () => {
  const record = (folder: string, stage: string, settings: object) =>
    writeJsonAtomic(small.path(`${folder}/manifest.${stage}.json`), { command: stage, settings });
  await record("retriever", "train-retriever", { model_path: "base/encoder" });
  await record("generator", "train-generator", { model_name_or_path: "base/decoder" });
  const tuned = {
    compare_base: "true",
    embedding_model_name_or_path: small.path("retriever"),
    qa_model_name_or_path: small.path("generator"),
  };
  const { reporter } = small.contextOf();
  const found = await comparedModels(small.settingsOf(tuned), reporter);
  expect(found).toMatchObject({ retriever: { base: "base/encoder" }, generator: { base: "base/decoder" } });
  // Named by flags, as the run record does, they are the same.
  expect(await comparedModels({ ...small.settingsOf(tuned), ...baseSettings(found) }, reporter)).toEqual(found);
  const { found_settings } = await runTestE2e(small.settingsOf(tuned), small.contextOf(), fakeParts(repeats));
  expect(found_settings).toEqual(baseSettings(found));
  const overruled = small.settingsOf({ ...tuned, base_qa_model_name_or_path: "other" });
  expect((await comparedModels(overruled, reporter)).generator.base).toBe("other");
  const unknown = small.settingsOf({ compare_base: "true" });
  await expect(comparedModels(unknown, reporter)).rejects.toThrow(/--base_embedding_model_name_or_path or --base_qa/);
  await record("generator", "train-generator", []);
  await expect(comparedModels(small.settingsOf(tuned), reporter)).rejects.toThrow(/manifest\.train-generator\.json/);
  expect(await readFile(small.path("generator/manifest.train-generator.json"), "utf8")).toContain("settings");
});

test("a dry run counts the requests of every combination, and the judge's repeats", async () => {
  const settings = small.settingsOf({
    ...models,
    qa_model_name_or_path: "gpt-tuned",
    base_qa_model_name_or_path: "gpt-base",
    gen_gpt4eval: "true",
    judge_repeats: "2",
  });
  const plan = await testE2e.plan?.(settings, { ...small.contextOf(), planned: new Map() });
  expect(plan?.requests).toMatchObject([
    { purpose: "answers", model: "gpt-base", requests: 4 * 3 },
    { purpose: "answers", model: "gpt-tuned", requests: 4 * 3 },
    { purpose: "judge", requests: 8 * 3 * 2 },
  ]);
});

test("a dry run counts the vectors of an embedding model behind the API", async () => {
  const settings = small.settingsOf({
    embedding_model_name_or_path: "text-embedding-3-small",
    qa_model_name_or_path: "gpt-x",
  });
  const plan = await testE2e.plan?.(settings, { ...small.contextOf(), planned: new Map() });
  // One to learn the dimensions, one for the passages, one for the questions.
  expect(plan?.requests[0]).toMatchObject({ purpose: "vectors", model: "text-embedding-3-small", requests: 3 });
  expect(plan?.requests[0]?.prompt_tokens).toBeGreaterThan(0);
  expect(plan?.requests[0]?.notes.join()).toMatch(/has no price for "text-embedding-3-small"/);
});

test("BM25 is one retriever for base and tuned", async () => {
  await runTestE2e(small.settingsOf({ ...models, retrieval: "bm25" }), small.contextOf(), fakeParts(repeats));
  const { cells } = await readTable();
  expect(cells.map(({ name }) => name)).toEqual(
    ["base", "tuned"].flatMap((side) =>
      ["no-passages", "tuned-retriever", "gold-passages"].map((from) => `${from}_${side}-generator`),
    ),
  );
});

test("auto searches base and tuned retriever in the one way that was chosen for the tuned one; tables say it, and intervals by source", async () => {
  const rows = small.rows.flatMap((row) => [row, { ...row, question: `Say: ${row.question}` }]);
  await writeJsonl(small.path("test_w_qa.jsonl"), rows);
  const tuned = small.path("tuned-words");
  const over_dense = { retrieval: "hybrid", gain: 0.2, low: 0.1, high: 0.3 };
  await writeJsonAtomic(`${tuned}/hybrid.json`, { version: 1, bm25_weight: 1.5, over_dense });
  const settings = small.settingsOf({ ...models, embedding_model_name_or_path: tuned, retrieval: "auto" });
  const { summary = "" } = await runTestE2e(settings, small.contextOf(), fakeParts(repeats));
  const used = { retrieval: "hybrid", bm25_weight: 1.5 };
  const searches = searchesSchema.parse(await small.json("out/searches.json"));
  expect(searches).toMatchObject({ used: { base: used, tuned: used }, questions: 6 });
  for (const cell of ["base-retriever_base-generator", "tuned-retriever_base-generator"])
    expect(await small.json(`out/cells/${cell}/all_args.json`)).toMatchObject(used);
  expect(summary).toContain("Searched by vectors + 1.5 BM25.");
  expect(summary).toContain("95 % intervals by source: the questions share 3 sources.");
  expect(summary).toContain("95 % intervals and p by source: the questions share 3 sources.");
  for (const { sources } of (await readTable()).effects) expect(sources).toBe(3);
});
