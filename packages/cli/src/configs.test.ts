import { fileURLToPath } from "node:url";
import { parseSettings, readPipeline, readSettingsFile } from "@rag-ft/pipeline";
import { describe, expect, it } from "vitest";
import { stageRegistry } from "./registry.js";

const configs = ["quickstart", "databricks", "databricks-laptop", "your-docs"].map((name) => [
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

it("databricks.yaml is LocalRQA's run: its models, turns and numbers, the generator by TRL", async () => {
  const { steps } = await readPipeline(fileURLToPath(new URL("../../../configs/databricks.yaml", import.meta.url)));
  const settingsOf = (id: string): unknown => steps.find((step) => step.id === id)?.settings;
  expect(settingsOf("train-retriever")).toMatchObject({
    ...{ model_path: "intfloat/e5-base-v2", pooling_type: "mean", learning_rate: 1e-4, temperature: 1 },
    ...{ per_device_train_batch_size: 256, per_device_eval_batch_size: 128, hard_neg_ratio: 0.05 },
    ...{ max_steps: 150, eval_steps: 5, save_steps: 5, logging_steps: 1 },
    metric_for_best_model: "eval_retr/document_recall/recall4",
  });
  expect(settingsOf("train-generator")).toMatchObject({
    ...{ engine: "trl", model_name_or_path: "berkeley-nest/Starling-LM-7B-alpha" },
    ...{ user_prefix: "GPT4 Correct User", assistant_prefix: "GPT4 Correct Assistant" },
    ...{ sep_user: "<|end_of_turn|>", sep_sys: "<|end_of_turn|>", embedding_max_num_to_retrieve: 3 },
    ...{ learning_rate: 1e-5, num_train_epochs: 2, per_device_train_batch_size: 2, gradient_accumulation_steps: 4 },
    ...{
      bf16: true,
      use_flash_attention: true,
      nproc_per_node: 1,
      master_port: 20_001,
      eval_steps: 50,
      save_steps: 50,
    },
  });
});
