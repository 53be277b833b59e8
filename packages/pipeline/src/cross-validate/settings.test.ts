import { expect, it } from "vitest";
import { crossValidateSettings, variantsOf } from "./settings.js";

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
      settings: { learning_rate: 1e-5, temperature: 0.05, max_steps: 27 },
    }),
    expect.objectContaining({ settings: { learning_rate: 1e-5, temperature: 0.05, max_steps: 54 } }),
    expect.objectContaining({ settings: { learning_rate: 2e-5, temperature: 0.05, max_steps: 27 } }),
    expect.objectContaining({ settings: { learning_rate: 2e-5, temperature: 0.05, max_steps: 54 } }),
  ]);
});

it("is one variant without lists", () => {
  expect(variants({})).toEqual([{ name: "tuned", folder: "tuned", settings: { learning_rate: 2e-5, max_steps: -1 } }]);
});
