import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createRandom,
  hashFile,
  type Reporter,
  type StageResult,
  silentReporter,
  writeFolderAtomic,
} from "@rag-ft/core";
import {
  createGradientSession,
  LoraAdapters,
  loadWeights,
  Parameters,
  parameterGradients,
  randomWeights,
  weightInputs,
  writeSafetensors,
} from "@rag-ft/models";
import { constant, createSession, floatTensor, input, reshape, type Tensor, tanh, type Value } from "@rag-ft/onnx";
import { crossEntropy, decidingSettings, ShuffledBatches, totalSteps, trainingSettings } from "@rag-ft/train";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { type CardFacts, fineTune, type OpenedTask, resultSettings } from "./index.js";

// A reranker in small: a score for each pair of question and passage, the gold passage's to be the greatest of its question. Its graph, loss and
// files are real; pairs are vectors instead of text.

const FEATURES = 4;
const CANDIDATES = 3;
const BATCH = 4;
const schema = z.object({
  ...trainingSettings,
  ...resultSettings,
  do_train: z.boolean().default(true),
  do_eval: z.boolean().default(true),
});
type Settings = z.infer<typeof schema>;

/** One question: features of its candidates, row by row, and which is gold. */
interface Ranking {
  pairs: number[];
  gold: number;
}

function rankings(count: number, seed: number): Ranking[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const pairs = Array.from({ length: CANDIDATES * FEATURES }, () => 2 * random.next() - 1);
    // The gold passage is that of the greatest difference between two of the features.
    const merits = Array.from(
      { length: CANDIDATES },
      (_, i) => (pairs[i * FEATURES + 1] ?? 0) - (pairs[i * FEATURES] ?? 0),
    );
    return { pairs, gold: merits.indexOf(Math.max(...merits)) };
  });
}

/** Scores [questions, candidates] of pairs [questions · candidates, features]. */
function scoresOf(parameters: Parameters, questions: number): Value {
  const pairs = input("pairs", "float32", [questions * CANDIDATES, FEATURES]);
  const hidden = tanh(parameters.linear(pairs, "dense", FEATURES, 8));
  return reshape(parameters.linear(hidden, "score", 8, 1), [questions, CANDIDATES]);
}

function pairsOf(batch: readonly Ranking[]): Tensor {
  return floatTensor(Float32Array.from(batch.flatMap(({ pairs }) => pairs)), [batch.length * CANDIDATES, FEATURES]);
}

const CARD: CardFacts = {
  library_name: "transformers",
  pipeline_tag: "text-generation",
  tags: ["in-small"],
  about: "A reranker in small.",
  data: [["rankings", "24 | 30"]],
  recipe: { loss: "cross-entropy" },
  use: "Load it.",
};

async function openReranker(settings: Settings, base: string, modelName = base): Promise<OpenedTask> {
  const train = rankings(24, 1);
  const parameters = new Parameters();
  const scores = scoresOf(parameters, BATCH);
  const weights = randomWeights(parameters, 5);
  await writeSafetensors(join(base, "model.safetensors"), weights);
  return {
    modelName,
    base: { weights, folder: base, readWeights: loadWeights },
    announcement: `${train.length} questions`,
    adapterTask: "FEATURE_EXTRACTION",
    adapters: (lora, session) => new LoraAdapters(parameters.linearLayers(), weights, lora, session),
    async prepare(session, adapters) {
      const labels = input("labels", "int64", [BATCH]);
      const loss = crossEntropy(scores, labels, constant(new Float32Array(BATCH).fill(1 / BATCH)));
      const seeds = [[loss, constant(1)]] as const;
      const trained = adapters?.weights ?? weights;
      const named = adapters?.adapterGradients(seeds, parameters) ?? parameterGradients(seeds, parameters);
      const training = await createGradientSession({ loss }, named, trained, session);
      const test = rankings(30, 2);
      const ranking = await createSession({ outputs: { scores: scoresOf(new Parameters(), test.length) } }, session);
      const batches = new ShuffledBatches(train, BATCH, settings.seed);
      const hits = async (): Promise<number[]> => {
        const results = await ranking.run({ ...weightInputs(weights), pairs: pairsOf(test) });
        const scores = results.scores?.data as Float32Array;
        return test.map(({ gold }, i) => {
          const own = [...scores.subarray(i * CANDIDATES, (i + 1) * CANDIDATES)];
          return own.indexOf(Math.max(...own)) === gold ? 1 : 0;
        });
      };
      const share = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
      return {
        identity: { settings: decidingSettings(settings, []), inputs: {} },
        steps: settings.do_train ? totalSteps(settings, train.length) : 0,
        model: { trained, gradients: training.gradients },
        async runStep(step) {
          const batch = batches.at(step - 1);
          const gold = {
            dtype: "int64" as const,
            shape: [BATCH],
            data: BigInt64Array.from(batch, (one) => BigInt(one.gold)),
          };
          const inputs = {
            ...weightInputs(weights),
            ...(adapters ? weightInputs(trained) : {}),
            pairs: pairsOf(batch),
          };
          const results = await training.run({ ...inputs, labels: gold });
          return { loss: results.loss?.data[0] as number, examples: BATCH, tokens: 0, describe: () => `step ${step}` };
        },
        metric: { name: "eval_hits", greaterIsBetter: true },
        async evaluate() {
          const values = await hits();
          return { figures: { eval_hits: share(values) }, values };
        },
        test: {
          measure: async () => ({ figures: { hits: share(await hits()) } }),
          about: { questions: test.length },
          inRecord: ({ hits = Number.NaN }) => ({ test_hits: hits }),
        },
        table: { columns: () => ["hits"], cells: ({ eval_hits, hits = eval_hits }) => ({ hits }) },
        save: (folder, extra) =>
          writeFolderAtomic(folder, async (temporary) => {
            await writeSafetensors(join(temporary, "model.safetensors"), weights);
            await extra(temporary);
          }),
        card: CARD,
        filesOfWeights: ["threshold.json"],
        async compare({ step }) {
          const chance = async () => ({ eval_hits: 1 / CANDIDATES });
          const other = { key: "chance", evaluate: chance, test: async () => ({ figures: { hits: 1 / CANDIDATES } }) };
          return { before: [{ ...other, name: "chance" }], after: [{ ...other, name: `after ${step}`, key: "after" }] };
        },
        async close() {
          await training.close();
          await ranking.close();
        },
      };
    },
  };
}

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
  await mkdir(at("base"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const LEARNS = { max_steps: 24, eval_steps: 12, learning_rate: 5e-2, per_device_train_batch_size: BATCH, threads: 1 };

function run(
  name: string,
  more: Record<string, unknown> = {},
  how: { reporter?: Reporter; signal?: AbortSignal; records?: boolean; modelName?: string } = {},
): Promise<StageResult> {
  const settings = schema.parse({ ...LEARNS, output_dir: at(name), ...more });
  const context = { reporter: silentReporter, signal: new AbortController().signal, env: {}, ...how };
  return fineTune(settings, context, () => openReranker(settings, at("base"), how.modelName));
}

const json = async (...names: string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(at(...names), "utf8"));

describe("fineTune with a third stage's task", () => {
  it("trains, mixes, chooses, promotes, tests and says so", async () => {
    await mkdir(at("run"));
    await writeFile(at("run", "threshold.json"), "of other weights");
    const { summary, figures, outputs } = await run("run", { interpolate: "0.5" });
    expect(outputs).toEqual([at("run")]);
    expect(await readdir(at("run"))).toEqual(expect.arrayContaining(["choice.json", "model.safetensors", "test.json"]));
    expect(await readdir(at("run"))).not.toContain("threshold.json");
    const choice = await json("run", "choice.json");
    const kept = choice.kept as { step: number; alpha?: number };
    expect(kept.step).toBeGreaterThan(0);
    const share = kept.alpha === undefined ? "" : `-alpha-${kept.alpha}`;
    expect(await hashFile(at("run/model.safetensors"))).toBe(
      await hashFile(at(`run/checkpoint-${kept.step}${share}/model.safetensors`)),
    );
    // Eval and test questions are the same here.
    const test = await json("run", "test.json");
    expect(Object.keys(test)).toEqual(["chance", "base", "best", "after", "questions"]);
    expect(test).toMatchObject({ best: { ...kept, hits: figures?.eval_hits }, questions: 30 });
    expect(figures?.test_hits).toBe(figures?.eval_hits);
    expect((test.best as { hits: number }).hits).toBeGreaterThan((test.base as { hits: number }).hits);
    const rows = summary?.split("\n").map((line) => line.split(/ {2,}/).slice(0, 2).join(" "));
    const name = kept.alpha === undefined ? `step ${kept.step}` : `step ${kept.step} at alpha ${kept.alpha}`;
    expect(rows?.slice(2)).toEqual([
      ...["eval chance", "eval base"],
      ...(choice.candidates as { step: number; alpha?: number }[]).map(
        ({ step, alpha }) => `eval step ${step}${alpha === undefined ? "" : ` at alpha ${alpha}`}`,
      ),
      ...[`eval after ${kept.step}`, "test chance", "test base", `test ${name}`, `test after ${kept.step}`],
      choice.verdict,
    ]);
  });

  it.each([
    ["all weights", {}],
    ["adapters", { lora_r: 2, lora_target_modules: "dense" }],
  ])("stopped and started again, ends with the bits of a run that was not: %s", async (name, more) => {
    await run(`whole ${name}`, more);
    const stop = new AbortController();
    const update = (done: number): void => {
      if (done === 14) stop.abort();
    };
    const reporter = { ...silentReporter, start: () => ({ update, stop: () => {} }) };
    await expect(run(`stopped ${name}`, more, { reporter, signal: stop.signal })).rejects.toThrow(
      /after step 14 of 24/,
    );
    await run(`stopped ${name}`, more);
    for (const file of ["model.safetensors", "choice.json", "test.json", "eval.jsonl"]) {
      expect(await hashFile(at(`stopped ${name}`, file)), file).toBe(await hashFile(at(`whole ${name}`, file)));
    }
    expect(await hashFile(at(`whole ${name}`, "model.safetensors"))).not.toBe(
      await hashFile(at("base/model.safetensors")),
    );
    expect((await readdir(at(`whole ${name}`))).includes("adapter")).toBe(name === "adapters");
  });

  it("whose process ends before its record is written is found done; other settings train", async () => {
    const update = vi.fn();
    const reporter = { ...silentReporter, start: () => ({ update, stop: () => {} }) };
    const records = { records: true, reporter };
    const first = await run("unrecorded", {}, records);
    expect(update).toHaveBeenCalledTimes(24);
    const again = await run("unrecorded", { threads: 2 }, records);
    expect(update).toHaveBeenCalledTimes(24);
    const { settle: _, ...said } = first;
    expect(again).toMatchObject(said);
    await run("unrecorded", { resume_from_checkpoint: "false" }, records);
    expect(update).toHaveBeenCalledTimes(48);
    await run("unrecorded", { learning_rate: 1e-2 }, { reporter });
    expect(update).toHaveBeenCalledTimes(72);
    // What was kept of the first is of weights that are no longer there.
    const last = await run("unrecorded", {}, records);
    expect(update).toHaveBeenCalledTimes(96);
    await last.settle?.();
    expect(await readdir(at("unrecorded"))).not.toContain("unrecorded-result.json");
  });

  it("only evaluates when told to, and writes no model", async () => {
    const { summary } = await run("measured", { do_train: false });
    expect(await readdir(at("measured"))).toEqual(["eval.jsonl", "test.json"]);
    expect(summary).toContain("eval   base");
    await expect(run("nothing", { do_train: false, do_eval: false })).rejects.toThrow(/nothing to do/);
  });

  it("without evaluations the last step is kept, and nothing is said of the base", async () => {
    const { summary } = await run("blind", { do_eval: false });
    expect(await readdir(at("blind"))).not.toContain("choice.json");
    expect(await json("blind", "test.json")).toMatchObject({ base: {}, best: { step: 24 } });
    expect(summary).not.toContain("eval ");
  });

  describe("the model's card", () => {
    const card = (name: string): Promise<string> => readFile(at(name, "README.md"), "utf8");
    const head = (text: string): unknown => parse(/^---\n([\s\S]*?)\n---\n/.exec(text)?.[1] ?? "");
    const SHORT = { max_steps: 12 };

    it("has the hub's front matter, data, recipe, figures with the verdict, and how to use it", async () => {
      await run("card", SHORT, { modelName: "org/base@v1" });
      const text = await card("card");
      expect(head(text)).toEqual({
        base_model: "org/base",
        library_name: "transformers",
        pipeline_tag: "text-generation",
        tags: ["in-small", "rag-ft"],
      });
      const { verdict } = await json("card", "choice.json");
      expect(text).toContain(String(verdict));
      expect(text).toContain(
        "# base, fine-tuned\n\nA reranker in small. Fine-tuned from [org/base](https://huggingface.co/org/base)",
      );
      expect(text).toContain("| rankings | 24 \\| 30 |");
      expect(text).toContain("| `learning_rate` | `0.05` |");
      expect(text).toContain("| `loss` | `cross-entropy` |");
      expect(text).not.toContain("lora_r");
      expect(text).toMatch(/## Use\n\nLoad it\.\n$/);
    });

    it("names no path of this machine, and the licence only where the base's own card does", async () => {
      await run("unnamed", SHORT);
      expect(head(await card("unnamed"))).not.toHaveProperty("license");
      expect(head(await card("unnamed"))).not.toHaveProperty("base_model");
      expect(await card("unnamed")).not.toContain(folder);
      expect(await card("unnamed")).toContain("Fine-tuned from `base`");
      await writeFile(at("base/README.md"), "---\nlicense: apache-2.0\ntags: [x]\n---\n# Base\n");
      await run("licensed", SHORT);
      expect(head(await card("licensed"))).toMatchObject({ license: "apache-2.0", tags: ["in-small", "rag-ft"] });
      await writeFile(at("base/README.md"), "---\n: [\n---\n");
      await run("broken", SHORT);
      expect(head(await card("broken"))).not.toHaveProperty("license");
      await rm(at("base/README.md"));
    });

    it("is written anew by the next training, but not over one of the user's own", async () => {
      await run("again", SHORT);
      const first = await card("again");
      await run("again", { max_steps: 6, eval_steps: 6 });
      expect(await card("again")).not.toBe(first);
      const own = first.replace(/<!-- Written by rag-ft.*\n/, "My words.\n");
      await writeFile(at("again/README.md"), own);
      const said: string[] = [];
      const reporter = { ...silentReporter, info: (line: string) => void said.push(line) };
      await run("again", SHORT, { reporter });
      expect(await card("again")).toBe(own);
      expect(said.join("\n")).toMatch(/README\.md is not of rag-ft and stays as it is/);
    });
  });
});
