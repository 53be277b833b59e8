/** Of flags that say something to TRL or sentence-transformers, and nothing to a training in this process. */
export const OTHER_ENGINE = "Another engine (TRL, sentence-transformers)";

const LOSS = "Loss of the retriever";

/** Headings under which help and the reference list flags, in that order, each with its settings. */
const GROUPS: Readonly<Record<string, string>> = {
  "Inputs and outputs":
    "document_path full_dataset_file_path train_file eval_file test_file no_answer_file question_files dataset dataset_w_q eval_data_path run " +
    "index_path full_dataset_index_path output_dir output_file save_dir save_name shard label out",
  Models:
    "model_path model_name_or_path base_dtype embedding_model qa_model_name_or_path embedding_model_name_or_path prompt_model " +
    "tokenizer pooling_type query_prefix passage_prefix max_seq_length",
  Passages:
    "chunk_size chunk_overlap_size chunk_characters min_words dedupe contextual contextual_tokens include exclude source_url robots explain",
  Questions:
    "mode config split_by num_train_data num_eval_test_data filters round_trip_k start_data_idx end_data_idx shuffle_data",
  "Hard negatives":
    "num_hard_negs_per_doc hard_negatives negative_margin negative_pool negatives num_negatives relabel_with candidates num_docs",
  Search:
    "retrieval bm25_weight retrieval_choice_of truncate_dim vector_store vector_store_url reranker rerank_top_n rerank_weight rerank_int8 " +
    "embedding_max_num_to_retrieve ks depth follow_ups max_test_samples trec trec_runs",
  Training:
    "do_train learning_rate lr_scheduler_type warmup_ratio num_train_epochs max_steps per_device_train_batch_size " +
    "gradient_accumulation_steps weight_decay max_grad_norm freeze_layers dropout no_answer_share folds estimate_only learning_curve " +
    "time_budget foreign_question_files foreign_dataset_file_path",
  [LOSS]:
    "contrastive_loss similarity hard_neg_ratio mask_near_duplicates positives extra_positives matryoshka_dims " +
    "distil_from distil_loss distil_weight distil_passages distil_teacher_temperature distil_student_temperature",
  LoRA: "lora_r lora_alpha lora_target_modules lora_dropout",
  "Evaluation, and what is kept":
    "do_eval eval_steps early_stopping_patience eval_passages metric_for_best_model keep_base_unless interpolate no_answer_eval compare_base " +
    "base_qa_model_name_or_path base_embedding_model_name_or_path",
  Judge: "gen_gpt4eval judge_faithfulness judge_model judge_repeats judge_labels",
  "Prompt and answer":
    "system_text system_prefix sep_system user_prefix assistant_prefix sep_user sep_sys no_answer_text citations enable_thinking temperature max_new_tokens",
  "Checkpoints and logs": "save_steps save_total_limit resume_from_checkpoint logging_steps report_to save_onnx",
  "Models behind an API":
    "max_concurrency requests_per_minute tokens_per_minute request_timeout max_retries max_cost prices batch structured_outputs dry_run",
  Server: "host port allowed_origins concurrency max_queue max_request_seconds max_body_kb turns_file",
  Machine: "seed threads device precision activation_memory frozen_memory",
  [OTHER_ENGINE]:
    "engine measured_by engine_dir engine_python nproc_per_node nnodes master_port accelerators " +
    "bf16 fp16 use_flash_attention gradient_checkpointing deepspeed run_group per_device_eval_batch_size",
};

const HEADINGS = new Map(
  Object.entries(GROUPS).flatMap(([heading, names]) =>
    names.split(" ").map((name): [string, string] => [name, heading]),
  ),
);

/** All settings that have a heading. */
export const GROUPED_SETTINGS: readonly string[] = [...HEADINGS.keys()];

/** A list as short as this is read without headings. */
const SHORT = 8;

/** Settings under their headings, in the order of the groups; those of a stage alone come first, without a heading. */
export function groupSettings<Setting extends { name: string }>(
  settings: readonly Setting[],
): { heading?: string; settings: Setting[] }[] {
  if (settings.length <= SHORT) return settings.length === 0 ? [] : [{ settings: [...settings] }];
  // A sampling temperature elsewhere, it divides the scores of the retriever's loss.
  const isLoss = settings.some(({ name }) => name === "similarity");
  const headingOf = ({ name }: Setting): string | undefined =>
    name === "temperature" && isLoss ? LOSS : HEADINGS.get(name);
  return [undefined, ...Object.keys(GROUPS)]
    .map((heading) => ({
      ...(heading === undefined ? {} : { heading }),
      settings: settings.filter((setting) => headingOf(setting) === heading),
    }))
    .filter((group) => group.settings.length > 0);
}
