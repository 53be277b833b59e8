import { fileURLToPath } from "node:url";
import { parseSettings, readPipeline, readSettingsFile } from "@rag-ft/pipeline";
import { describe, expect, it } from "vitest";
import { stageRegistry } from "./registry.js";

const configs = ["quickstart", "databricks", "your-docs"].map((name) => [
  name,
  fileURLToPath(new URL(`../../../configs/${name}.yaml`, import.meta.url)),
]);

it.each([
  ["train-retriever", { train_file: "train_w_q.jsonl", eval_file: "eval_w_q.jsonl" }],
  ["cross-validate", { question_files: "train_w_q.jsonl" }],
])("configs/retriever.yaml holds settings of %s", async (name, questions) => {
  const path = fileURLToPath(new URL("../../../configs/retriever.yaml", import.meta.url));
  const stage = await stageRegistry[name]?.load();
  const data = { model_path: "model", full_dataset_file_path: "documents.jsonl", output_dir: "out", ...questions };
  expect(stage && parseSettings(stage, { ...data, ...(await readSettingsFile(path)) }).problems).toBeUndefined();
});

describe("the run configurations in configs/", () => {
  it.each(configs)("%s gives every stage settings that it accepts", { timeout: 60_000 }, async (_, path) => {
    const { steps } = await readPipeline(path as string);
    expect(steps.length).toBeGreaterThan(5);
    for (const step of steps) {
      const stage = await stageRegistry[step.stage]?.load();
      expect(stage && parseSettings(stage, step.settings).problems, `${step.id}`).toBeUndefined();
    }
  });
});
