import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledError, DataError, UserError } from "@rag-ft/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Faults, finish, type SmallRun, smallRun } from "./testing/small-run.js";

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-training-"));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

const train = (
  name: string,
  ...more: [given?: Record<string, unknown>, faults?: Faults, inputs?: { questions: string }]
) => smallRun(at(name), ...more);

/** Everything that must not depend on interruptions: weights, figures, logs without timings, what is left in the folder. */
async function resultOf(name: string, { outcome, weights }: SmallRun): Promise<unknown> {
  const lines = async (log: string): Promise<unknown[]> =>
    (await readFile(at(name, log), "utf8"))
      .trim()
      .split("\n")
      .map((line) => {
        const { examples_per_s: _, tokens_per_s: __, peak_rss_mb: ___, ...rest } = JSON.parse(line);
        return rest;
      });
  const { bestFolder, conclude: _, ...figures } = outcome;
  return {
    weights: [...weights].map(([key, { data }]) => [key, [...data]]),
    figures,
    best: bestFolder && (await readFile(join(bestFolder, "model"), "utf8")),
    train: await lines("train.jsonl"),
    evaluations: await lines("eval.jsonl"),
    files: (await readdir(at(name), { recursive: true })).sort(),
  };
}

async function checkpoints(name: string): Promise<string[]> {
  const names = (await readdir(at(name))).filter((entry) => entry.startsWith("checkpoint-"));
  return names.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

const failing = (what: string, step: number): Faults => ({
  before: (now, at) => {
    if (now === what && at === step) throw new Error("power cut");
  },
});
const stopping = (what: string, step: number): Faults => ({
  before: (now, at, controller) => {
    if (now === what && at === step) controller.abort();
  },
});

describe("a run that was broken off and started again", () => {
  it("leaves what an uninterrupted run leaves: the best model, whole logs, no trainer's state", async () => {
    const result = await resultOf("whole", await finish(await train("whole")));
    expect(result).toMatchObject({
      figures: { bestStep: 6, bestFigures: { recall: 0.7 }, baseFigures: { recall: 0.3 }, baseTest: { recall: 0.25 } },
      files: ["checkpoint-6", "checkpoint-6/model", "eval.jsonl", "train.jsonl"],
    });
    expect((result as { train: { step: number }[] }).train.map(({ step }) => step)).toEqual([3, 6, 9, 11]);
  });

  it.each([
    ["step", 1, 1],
    ["evaluate", 0, 1],
    ["step", 3, 3],
    ["evaluate", 4, 3],
    ["save", 6, 5],
    ["step", 8, 7],
    ["evaluate", 11, 11],
  ])("broken off by a failure at the %s of step %i, goes on at step %i and ends the same", async (what, step, next) => {
    await expect(train("broken", {}, failing(what, step))).rejects.toThrow("power cut");
    const run = await finish(await train("broken"));
    expect(run.steps[0]).toBe(next);
    expect(run.steps.at(-1)).toBe(11);
    expect(await resultOf("broken", run)).toEqual(await resultOf("whole", await finish(await train("whole"))));
  });

  it.each([
    ["step", 2, /after step 1 of 11, kept in .*checkpoint-1\. The same command goes on/],
    ["evaluate", 4, /after step 4 of 11, kept in .*checkpoint-4\./],
    ["step", 9, /after step 8 of 11, kept in .*checkpoint-8\./],
    ["evaluate", 11, /after step 11 of 11/],
  ])("stopped on request at the %s of step %i, says how to go on, and ends the same", async (what, step, message) => {
    const { before } = stopping(what, step);
    const stop: Faults = {
      before: (now, at, controller) => {
        before?.(now, at, controller);
        if (controller.signal.aborted) throw new CancelledError("stopped");
      },
    };
    await expect(train("stopped", {}, stop)).rejects.toThrow(message);
    const run = await finish(await train("stopped"));
    expect(run.said[0]).toMatch(/going on after step \d+ of 11/);
    expect(await resultOf("stopped", run)).toEqual(await resultOf("whole", await finish(await train("whole"))));
  });
});

describe("early stopping", () => {
  it.each([
    [1, 4, 2],
    [2, 10, 6],
    [3, 11, 6],
  ])("with a patience of %i ends at step %i and keeps step %i", async (patience, last, best) => {
    const run = await finish(await train("patient", { early_stopping_patience: patience }));
    expect(run.steps.at(-1)).toBe(last);
    expect(run.outcome.bestStep).toBe(best);
    expect(run.said.filter((line) => line.includes("training ends here"))).toHaveLength(last < 11 ? 1 : 0);
  });

  it("does not count the base: a new head starts below it", async () => {
    const below = { metric: (step: number, value: number) => (step === 0 ? 1 : value) };
    const run = await train("below", { early_stopping_patience: 1 }, below);
    expect(run.steps.at(-1)).toBe(4);
    expect(run.outcome.bestStep).toBe(0);
  });

  it.each([
    ["step", 9],
    ["evaluate", 10],
  ])("broken off by a failure at the %s of step %i, ends where it would have", async (what, step) => {
    const given = { early_stopping_patience: 2 };
    await expect(train("broken", given, failing(what, step))).rejects.toThrow("power cut");
    const run = await finish(await train("broken", given));
    expect(run.steps.at(-1)).toBe(10);
    expect(await resultOf("broken", run)).toEqual(await resultOf("whole", await finish(await train("whole", given))));
  });
});

const UNFINISHED = failing("step", 8);
const broken = (name: string, given: Record<string, unknown> = {}): Promise<void> =>
  expect(train(name, given, UNFINISHED)).rejects.toThrow("power cut");

describe("where a run begins", () => {
  it("with other settings or inputs it starts anew, and says what differs", async () => {
    await broken("a");
    const run = await train("a", { learning_rate: 0.05, warmup_ratio: 0 }, {}, { questions: "b" });
    expect(run.steps[0]).toBe(1);
    expect(run.said[0]).toMatch(
      /warning: .*checkpoint-6 is of an unfinished run that differs: learning_rate \(0\.1, now 0\.05\), warmup_ratio \(0\.1, now 0\), other questions\. Training starts anew/,
    );
    // Nothing of the earlier run is left to go on from, but what was a model stays one.
    await finish(run);
    expect((await readdir(at("a"), { recursive: true })).filter((name) => name.includes("trainer_state"))).toEqual([]);
  });

  it("the checkpoint of other settings stays until this run has one of its own", async () => {
    await broken("a");
    await expect(train("a", { learning_rate: 0.05 }, failing("step", 2))).rejects.toThrow("power cut");
    expect((await train("a")).steps[0]).toBe(7);
  });

  it("settings that decide nothing may change", async () => {
    await broken("a");
    expect((await train("a", { save_steps: 5, save_total_limit: 3 })).steps[0]).toBe(7);
  });

  it("a checkpoint that is asked for must be there and of the same run", async () => {
    for (const wanted of ["true", true, "latest"]) {
      await expect(train("a", { resume_from_checkpoint: wanted })).rejects.toThrow(
        /a holds no checkpoint of an unfinished run, so there is nothing to go on from/,
      );
    }
    await expect(train("a", { resume_from_checkpoint: at("none") })).rejects.toThrow(
      /none: not a checkpoint to go on from/,
    );
    await broken("a");
    for (const wanted of ["latest", at("a", "checkpoint-6")]) {
      const other = train("a", { resume_from_checkpoint: wanted, seed: 7 });
      await expect(other).rejects.toThrow(UserError);
      await expect(other).rejects.toThrow(/checkpoint-6 is of another run: seed \(42, now 7\)/);
    }
    expect((await train("a", { resume_from_checkpoint: "true" })).steps[0]).toBe(7);
  });

  it("false starts anew beside what is there", async () => {
    await broken("a");
    const run = await finish(await train("a", { resume_from_checkpoint: false }));
    expect(run.steps[0]).toBe(1);
    expect(run.said.join()).not.toMatch(/warning/);
    expect(await resultOf("a", run)).toEqual(await resultOf("whole", await finish(await train("whole"))));
  });

  it("an earlier checkpoint, or one of another folder, may be named; its best model comes along", async () => {
    await expect(train("a", { save_total_limit: 9 }, failing("step", 10))).rejects.toThrow("power cut");
    expect(await checkpoints("a")).toEqual([2, 4, 6, 8].map((step) => `checkpoint-${step}`));
    const whole = await resultOf("whole", await finish(await train("whole")));
    const elsewhere = await train("b", { resume_from_checkpoint: at("a", "checkpoint-4") });
    expect(elsewhere.steps[0]).toBe(5);
    expect(await resultOf("b", await finish(elsewhere))).toEqual(whole);
    const earlier = await train("a", { resume_from_checkpoint: at("a", "checkpoint-2") });
    expect(earlier.steps[0]).toBe(3);
    expect(await resultOf("a", await finish(earlier))).toEqual(whole);
  });

  it("a checkpoint whose best model is gone is refused in another folder", async () => {
    await expect(train("a", {}, failing("step", 5))).rejects.toThrow("power cut");
    await rm(at("a", "checkpoint-2"), { recursive: true });
    await expect(train("b", { resume_from_checkpoint: at("a", "checkpoint-4") })).rejects.toThrow(
      /needs the best checkpoint of its run, .*checkpoint-2, which is missing/,
    );
  });

  it.each([
    ["state.json", "{", /state\.json: not valid JSON/],
    ["state.json", "{}", /state\.json: not a trainer's state: format/],
    ["weights.safetensors", "[]", /weights\.safetensors: the weight a\.weight is missing/],
    ["weights.safetensors", "nonsense", /weights\.safetensors: cannot be read/],
    [
      "first_moments.safetensors",
      JSON.stringify([["a.weight", { shape: [3], data: [1, 2, 3] }]]),
      /a\.weight has 3 elements, the model's 2/,
    ],
    ["second_moments.safetensors", "[]", /the moment of a\.weight is missing/],
  ])("a damaged %s (%s) is named, with what to do", async (file, content, message) => {
    await broken("a");
    await writeFile(at("a", "checkpoint-6", "trainer_state", file), content);
    const damaged = train("a");
    await expect(damaged).rejects.toThrow(DataError);
    await expect(damaged).rejects.toThrow(message);
    await expect(damaged).rejects.toThrow(/delete its folder, or start anew with --resume_from_checkpoint false/);
    expect((await train("a", { resume_from_checkpoint: "false" })).steps[0]).toBe(1);
  });
});

describe("checkpoints of an unfinished run", () => {
  it("are the newest and the best; save_total_limit counts the newest, and what they need stays", async () => {
    await broken("one");
    expect(await checkpoints("one")).toEqual(["checkpoint-6"]);
    await expect(train("two", {}, failing("step", 5))).rejects.toThrow("power cut");
    expect(await checkpoints("two")).toEqual(["checkpoint-2", "checkpoint-4"]);
    await expect(train("three", { save_total_limit: 2 }, failing("step", 10))).rejects.toThrow("power cut");
    expect(await checkpoints("three")).toEqual(["checkpoint-6", "checkpoint-8"]);
  });

  it("come every save_steps and at a best evaluation", async () => {
    await expect(train("a", { save_steps: 3, save_total_limit: 9 }, failing("step", 11))).rejects.toThrow("power cut");
    expect(await checkpoints("a")).toEqual([2, 3, 6, 9].map((step) => `checkpoint-${step}`));
  });

  it("come after ten minutes where no evaluation does, and before a long evaluation", async () => {
    vi.useFakeTimers({ toFake: ["performance"], now: 0 });
    const slow: Faults = {
      before: (what, step) => {
        if (what === "step") vi.advanceTimersByTime(step % 5 === 0 ? 11 * 60_000 : 1000);
        if (what === "evaluate" && step === 10) throw new Error("power cut");
      },
    };
    await expect(train("a", { eval_steps: 10, save_total_limit: 9 }, slow)).rejects.toThrow("power cut");
    expect(await checkpoints("a")).toEqual(["checkpoint-5", "checkpoint-10"]);
  });

  it("without evaluations, the last step is kept", async () => {
    const run = await finish(await train("a", { do_eval: false }));
    expect(run.outcome).toMatchObject({ bestStep: 11, bestFigures: undefined });
    expect(await readdir(at("a"), { recursive: true })).toEqual(
      expect.arrayContaining(["checkpoint-11", "checkpoint-11/model"]),
    );
    expect(await checkpoints("a")).toEqual(["checkpoint-11"]);
  });

  it("half-written ones of a killed process are cleaned away, and logs are mended", async () => {
    await broken("a");
    await mkdir(at("a", ".checkpoint-8.999999999-0a1b2c3d.tmp", "trainer_state"), { recursive: true });
    await writeFile(at("a", "train.jsonl"), '{"step":3,"lo');
    const run = await finish(await train("a"));
    expect(await resultOf("a", run)).toEqual(await resultOf("whole", await finish(await train("whole"))));
  });
});

describe("a loss that is not finite", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "%f stops with step and examples; what was saved stays",
    async (value) => {
      const stopped = train("a", {}, { loss: (step, loss) => (step === 8 ? value : loss) });
      await expect(stopped).rejects.toThrow(DataError);
      await expect(stopped).rejects.toThrow(
        new RegExp(
          `^Step 8: the loss is ${value}\\. .*The step's examples: "question \\d".*Nothing of this step was kept; .*checkpoint-6 stays\\.$`,
        ),
      );
      expect(await checkpoints("a")).toEqual(["checkpoint-6"]);
      expect((await readFile(at("a", "train.jsonl"), "utf8")).trim().split("\n")).toHaveLength(2);
      expect((await train("a")).steps[0]).toBe(7);
    },
  );

  it("gradients and evaluations that are not finite stop likewise", async () => {
    const infinite: Faults = { gradient: (step) => (step === 3 ? Number.NaN : 0) };
    await expect(train("a", {}, infinite)).rejects.toThrow(
      /^Step 3: the gradients are not finite \(norm NaN\).*The step's examples: "question \d".*checkpoint-2 stays/,
    );
    const unmeasured: Faults = { metric: (step, value) => (step === 4 ? Number.NaN : value) };
    await expect(train("b", {}, unmeasured)).rejects.toThrow(/^Step 4: recall is NaN.*checkpoint-2 stays/);
    expect(await checkpoints("b")).toEqual(["checkpoint-2"]);
  });

  it("weights that are no longer finite are not saved", async () => {
    const run = train("a", { learning_rate: 1e39, max_grad_norm: 0, warmup_ratio: 0, save_steps: 1, do_eval: false });
    await expect(run).rejects.toThrow(/^Step 1: the weight [ab]\.\w+ is no longer finite: no checkpoint is written/);
    expect(await checkpoints("a")).toEqual([]);
  });
});
