import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { evalFigure } from "./eval-figure.js";
import { curveVerdict, shareOf } from "./learning-curve.js";
import { affordable, rankVariants } from "./race.js";
import type { Variant } from "./variants.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-race-"));
});
afterAll(() => rm(folder, { recursive: true }));

const METRIC = "eval_retr/mrr";

/** What train-retriever leaves of a training that kept a step, the base being step 0. */
async function trained(path: string, kept: number, figures: readonly number[]): Promise<void> {
  await mkdir(path, { recursive: true });
  const lines = figures.map((figure, step) => ({ step, figures: { [METRIC]: figure } }));
  await writeFile(
    join(path, "choice.json"),
    JSON.stringify({ verdict: "v", metric: METRIC, kept: { step: kept }, candidates: lines.slice(1) }),
  );
  const logged = lines.map(({ step, figures: own }) => JSON.stringify({ step, ...own }));
  await writeFile(join(path, "eval.jsonl"), `${logged.join("\n")}\n`);
}

it("reads the figure of what was kept: a step's, or the base's", async () => {
  await trained(join(folder, "step"), 2, [0.3, 0.4, 0.6]);
  await trained(join(folder, "base"), 0, [0.7, 0.4, 0.6]);
  expect(await evalFigure(join(folder, "step"))).toBe(0.6);
  expect(await evalFigure(join(folder, "base"))).toBe(0.7);
  await expect(evalFigure(join(folder, "nowhere"))).rejects.toThrow(/nowhere.*choice\.json: not what train-retriever/);
});

it("ranks variants by the mean over the folds that are done, equal ones in their order", async () => {
  const figures = { a: [0.5, 0.9], b: [0.8, 0.7], c: [0.5, 0.9] };
  for (const [name, all] of Object.entries(figures))
    for (const [i, figure] of all.entries()) await trained(join(folder, name, `fold-${i + 1}`), 1, [0.1, figure]);
  const variants = Object.keys(figures).map((name): Variant => ({ name, folder: name, settings: { max_steps: 1 } }));
  const names = async (folds: number) =>
    (await rankVariants(folder, variants, folds)).map(({ variant }) => variant.name);
  expect(await names(1)).toEqual(["b", "a", "c"]);
  expect(await names(2)).toEqual(["b", "a", "c"]);
});

it("keeps as many variants as fit into the time left, and one at least", () => {
  expect(affordable(4, { foldsLeft: 4, secondsAFold: 10, left: 200 })).toBe(4);
  expect(affordable(4, { foldsLeft: 4, secondsAFold: 10, left: 100 })).toBe(2);
  expect(affordable(4, { foldsLeft: 4, secondsAFold: 10, left: -5 })).toBe(1);
  expect(affordable(4, { foldsLeft: 0, secondsAFold: 10, left: 0 })).toBe(4);
});

it("a smaller share of the questions is a part of a larger one", () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({
    gold_docs: [],
    hard_neg_docs: [],
    chat_history: [],
    questions: [`${i} a`, `${i} b`],
  })) as never[];
  const [quarter, half] = [shareOf(rows, 0.25, 3), shareOf(rows, 0.5, 3)];
  expect([quarter.length, half.length]).toEqual([5, 10]);
  expect(half.slice(0, 5)).toEqual(quarter);
});

it("says whether more questions would help", () => {
  const say = (low: number, high: number) => curveVerdict(0.5, "MRR", { difference: (low + high) / 2, low, high });
  expect(say(0.01, 0.05)).toMatch(/^More questions would probably help: from 0\.5 of the questions to all of them MRR/);
  expect(say(-0.01, 0.05)).toMatch(/cannot be told.*leaves 0 in/);
  expect(say(-0.05, -0.01)).toMatch(/would not help/);
});
