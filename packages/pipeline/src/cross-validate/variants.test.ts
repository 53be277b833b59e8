import { expect, it } from "vitest";
import { crossValidateSettings } from "./settings.js";
import { flagsOf, type Variant, variantsOf } from "./variants.js";

const DEFAULTS = { dropout: 0, hard_neg_ratio: 0.05, positives: "one" };

const variants = (more: Record<string, unknown>) =>
  variantsOf(
    crossValidateSettings.parse({
      model_path: "base",
      full_dataset_file_path: "documents.jsonl",
      question_files: "a.jsonl, b.jsonl",
      output_dir: "out",
      ...more,
    }),
  );

it("takes every combination of the lists, named by what varies", () => {
  expect(variants({ learning_rate: "1e-5,2e-5", temperature: [0.05], max_steps: "27,54" })).toEqual([
    expect.objectContaining({
      name: "learning_rate 0.00001, max_steps 27",
      folder: "learning_rate-0.00001_max_steps-27",
      settings: { ...DEFAULTS, learning_rate: 1e-5, temperature: 0.05, max_steps: 27 },
    }),
    expect.objectContaining({ settings: { ...DEFAULTS, learning_rate: 1e-5, temperature: 0.05, max_steps: 54 } }),
    expect.objectContaining({ settings: { ...DEFAULTS, learning_rate: 2e-5, temperature: 0.05, max_steps: 27 } }),
    expect.objectContaining({ settings: { ...DEFAULTS, learning_rate: 2e-5, temperature: 0.05, max_steps: 54 } }),
  ]);
});

it("is one variant without lists", () => {
  const [one, ...others] = variants({});
  expect(one).toEqual({
    name: "tuned",
    folder: "tuned",
    settings: { ...DEFAULTS, learning_rate: 2e-5, max_steps: -1 },
  });
  expect(others).toEqual([]);
  expect(flagsOf(one as Variant)).toBe("--learning_rate 0.00002 --dropout 0 --hard_neg_ratio 0.05 --positives one");
});

it("every combination of two lists is a variant, named by both", () => {
  const both = variants({ dropout: "0,0.1", positives: "one,all" });
  expect(both.map(({ name }) => name)).toEqual([
    "dropout 0, positives one",
    "dropout 0, positives all",
    "dropout 0.1, positives one",
    "dropout 0.1, positives all",
  ]);
  expect(both[0]?.settings).not.toHaveProperty("temperature");
  expect(both[3]?.settings).toMatchObject({ dropout: 0.1, positives: "all" });
});
