import { fileURLToPath } from "node:url";
import type { Flags } from "./argv-of.js";

/** The tiny models of the quickstart. */
export const ENCODER = fileURLToPath(new URL("../../../../data/models/tiny-encoder", import.meta.url));
export const DECODER = fileURLToPath(new URL("../../../../data/models/tiny-decoder", import.meta.url));

/** A path in the test's folder. */
type Place = (...names: string[]) => string;

// The reference's commands with every flag unchanged, but for small numbers and local names.

/** `train-retriever` as the reference's README calls it. */
export const retrieverFlags = (at: Place): Flags => ({
  pooling_type: "mean",
  do_train: true,
  do_eval: true,
  learning_rate: 1e-4,
  per_device_train_batch_size: 4,
  per_device_eval_batch_size: 128,
  hard_neg_ratio: 0.05,
  contrastive_loss: "inbatch_contrastive",
  metric_for_best_model: "eval_retr/document_recall/recall4",
  model_path: ENCODER,
  max_steps: 2,
  eval_steps: 1,
  save_steps: 1,
  logging_steps: 1,
  temperature: 1,
  output_dir: at("retriever"),
  train_file: at("questions", "train_w_q.jsonl"),
  eval_file: at("questions", "eval_w_q.jsonl"),
  test_file: at("questions", "test_w_q.jsonl"),
  full_dataset_file_path: at("data", "databricks.jsonl"),
});

/** `train-generator`, with Mistral's turns. */
export const generatorFlags = (at: Place): Flags => ({
  use_flash_attention: true,
  per_device_train_batch_size: 4,
  per_device_eval_batch_size: 4,
  deepspeed: "scripts/train/ds_config.json",
  learning_rate: 5e-6,
  num_train_epochs: 2,
  gradient_accumulation_steps: 2,
  bf16: true,
  model_name_or_path: DECODER,
  assistant_prefix: "[/INST]",
  user_prefix: "<s>[INST]",
  sep_user: " ",
  sep_sys: "</s>",
  eval_embedding_model: at("retriever"),
  embedding_max_num_to_retrieve: 3,
  logging_steps: 10,
  eval_steps: 30,
  save_steps: 30,
  output_dir: at("generator"),
  run_group: "flow",
  train_file: at("answers", "train_w_qa.jsonl"),
  eval_file: at("answers", "eval_w_qa.jsonl"),
  test_file: at("answers", "test_w_qa.jsonl"),
  full_dataset_file_path: at("data", "databricks.jsonl"),
  full_dataset_index_path: at("index"),
});

/** `test-e2e`, with the judge. */
export const testFlags = (at: Place): Flags => ({
  qa_model_name_or_path: at("generator"),
  assistant_prefix: "[/INST]",
  user_prefix: "<s>[INST]",
  sep_user: " ",
  sep_sys: "</s>",
  embedding_model_name_or_path: at("retriever"),
  document_path: at("data", "databricks.jsonl"),
  index_path: at("index"),
  eval_data_path: at("answers", "test_w_qa.jsonl"),
  output_dir: at("test"),
  gen_gpt4eval: true,
  max_new_tokens: 40,
});
