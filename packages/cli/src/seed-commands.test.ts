import { parseSettings } from "@rag-ft/pipeline";
import { describe, expect, it } from "vitest";
import { parseStageArguments } from "./argv.js";
import { stageRegistry } from "./registry.js";

/** The reference's six commands, flag for flag, with some of the settings that must come of them. */
const commands: [stage: string, argv: string[], expected: Record<string, unknown>][] = [
  [
    "prepare-docs",
    "--document_path docs.jsonl --chunk_size 400 --chunk_overlap_size 50 --save_dir data --save_name databricks".split(
      " ",
    ),
    { chunk_size: 400, chunk_overlap_size: 50, save_name: "databricks" },
  ],
  [
    "gen-questions",
    "-mode all -document_path data/docs.pkl --prompt_model gpt-3.5-turbo --num_hard_negs_per_doc 2 --num_train_data 1200 --num_eval_test_data 150 --save_dir data/q".split(
      " ",
    ),
    { mode: "all", document_path: "data/docs.pkl", num_hard_negs_per_doc: 2, num_train_data: 1200 },
  ],
  [
    "gen-answers",
    "--prompt_model gpt-4-1106-preview --dataset_w_q train_w_q.jsonl --save_name train_w_qa.jsonl --save_dir data/qa --end_data_idx 4".split(
      " ",
    ),
    { dataset_w_q: "train_w_q.jsonl", save_name: "train_w_qa.jsonl", end_data_idx: 4 },
  ],
  ...["--model_name_or_path", "--model_path"].map((model): [string, string[], Record<string, unknown>] => [
    "train-retriever",
    `--pooling_type mean --do_train true --do_eval true --learning_rate 1e-4 --per_device_train_batch_size 256 --per_device_eval_batch_size 128 --hard_neg_ratio 0.05 --contrastive_loss inbatch_contrastive --metric_for_best_model eval_retr/document_recall/recall4 ${model} intfloat/e5-base-v2 --max_steps 150 --eval_steps 5 --save_steps 5 --logging_steps 1 --temperature 1 --output_dir out --train_file a --eval_file b --test_file c --full_dataset_file_path d.pkl`.split(
      " ",
    ),
    { model_path: "intfloat/e5-base-v2", learning_rate: 1e-4, do_train: true, max_steps: 150, temperature: 1 },
  ]),
  ...["--embedding_model", "--eval_embedding_model"].map((embedding): [string, string[], Record<string, unknown>] => [
    "train-generator",
    [
      ..."--use_flash_attention true --per_device_train_batch_size 4 --per_device_eval_batch_size 4 --deepspeed scripts/train/ds_config.json --learning_rate 5e-6 --num_train_epochs 2 --gradient_accumulation_steps 2 --bf16 true --model_name_or_path mistral --assistant_prefix [/INST]".split(
        " ",
      ),
      ...["--user_prefix", "<s>[INST]", "--sep_user", " ", "--sep_sys", "</s>", embedding, "retriever"],
      ..."--embedding_max_num_to_retrieve 3 --logging_steps 10 --eval_steps 30 --save_steps 30 --output_dir out --run_group g --train_file a --eval_file b --test_file c --full_dataset_file_path d.pkl --full_dataset_index_path index".split(
        " ",
      ),
    ],
    {
      assistant_prefix: "[/INST]",
      user_prefix: "<s>[INST]",
      sep_user: " ",
      sep_sys: "</s>",
      embedding_model: "retriever",
      gradient_accumulation_steps: 2,
    },
  ]),
  [
    "test-e2e",
    [
      ..."--qa_model_name_or_path out --assistant_prefix [/INST]".split(" "),
      ...["--user_prefix", "<s>[INST]", "--sep_user", " ", "--sep_sys", "</s>"],
      ..."--embedding_model_name_or_path retriever --document_path d.pkl --index_path index --eval_data_path test_w_qa.jsonl --output_dir out --gen_gpt4eval true".split(
        " ",
      ),
    ],
    { user_prefix: "<s>[INST]", sep_user: " ", index_path: "index", gen_gpt4eval: true },
  ],
];

describe("the reference's commands", () => {
  it.each(commands)("%s takes every flag unchanged", { timeout: 60_000 }, async (name, argv, expected) => {
    const stage = await stageRegistry[name]?.load();
    if (!stage) return expect.unreachable();
    const parsed = parseSettings(stage, parseStageArguments(argv, stage.flags).values);
    expect(parsed.problems).toBeUndefined();
    expect(parsed).toMatchObject({ values: expected });
  });
});

describe("every stage", () => {
  it.each(Object.keys(stageRegistry))("%s describes each of its flags and names real settings", async (name) => {
    const stage = await stageRegistry[name]?.load();
    if (!stage) return expect.unreachable();
    expect(stage.name).toBe(name);
    expect(stage.flags.filter(({ description }) => description === "").map((flag) => flag.name)).toEqual([]);
    const names = stage.flags.map((flag) => flag.name);
    expect(stage.inputs.filter((input) => !names.includes(input))).toEqual([]);
  });
});
