import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, writeJsonl } from "@rag-ft/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { main } from "./app.js";
import { argvOf, type Flags } from "./testing/argv-of.js";
import { DECODER } from "./testing/flow-flags.js";
import { createMemoryIo } from "./testing/memory-io.js";

const TEMPLATE =
  "{% for m in messages %}{{ '<s>' + m['role'] + '\n' + m['content'] + '</s>' }}{% endfor %}{% if add_generation_prompt %}{{ '<s>assistant\n' }}{% endif %}";

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chat-template-"));
  await cp(DECODER, at("base"), { recursive: true });
  await writeFile(at("base", "chat_template.jinja"), TEMPLATE);
  const rows = ["red", "green", "blue"].map((colour, i) => ({
    gold_docs: [createDocument(`Cable ${i} is ${colour}, and </s> ends a text.`, { source: `cable-${i}.md` })],
    hard_neg_docs: [],
    chat_history:
      i === 0
        ? []
        : [
            { speaker: "user", message: "Hello" },
            { speaker: "assistant", message: "Hi." },
          ],
    question: `Which colour has cable ${i}?`,
    gold_answer: `It is ${colour}.`,
  }));
  await writeJsonl(
    at("documents.jsonl"),
    rows.flatMap((row) => row.gold_docs),
  );
  await writeJsonl(at("rows_w_qa.jsonl"), rows);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function succeeds(stage: string, flags: Flags): Promise<string> {
  const io = createMemoryIo({ RAG_FT_CACHE: at("cache"), HF_HUB_OFFLINE: "1", HF_HOME: at("hub") });
  const code = await main(argvOf(stage, flags), io);
  expect(code, io.stderr + io.log).toBe(0);
  return io.stdout + io.stderr + io.log;
}
const json = async (...names: string[]) => JSON.parse(await readFile(at(...names), "utf8"));
const promptTokens = async (folderOfTest: string): Promise<number[]> =>
  (await readFile(at(folderOfTest, "completions.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).usage.prompt_tokens);

const training = (output: string): Flags => ({
  model_name_or_path: at("base"),
  embedding_model: "none",
  retrieval: "bm25",
  full_dataset_file_path: at("documents.jsonl"),
  train_file: at("rows_w_qa.jsonl"),
  eval_file: at("rows_w_qa.jsonl"),
  do_eval: false,
  per_device_train_batch_size: 3,
  max_steps: 2,
  save_onnx: false,
  output_dir: at(output),
});
const test = (model: string, output: string): Flags => ({
  qa_model_name_or_path: at(model),
  embedding_model_name_or_path: "none",
  retrieval: "bm25",
  document_path: at("documents.jsonl"),
  eval_data_path: at("rows_w_qa.jsonl"),
  embedding_max_num_to_retrieve: 1,
  max_new_tokens: 4,
  output_dir: at(output),
});

it("training and test go by the model's own template; its base is asked by it, too, and lines say so", async () => {
  const trained = await succeeds("train-generator", training("by-template"));
  expect(trained).toMatch(/base: asked by its own chat template\./);
  expect(await json("by-template", "rag_ft_prompt.json")).toMatchObject({ prompt: "chat_template" });
  expect(await readFile(at("by-template", "chat_template.jinja"), "utf8")).toBe(TEMPLATE);
  const tested = await succeeds("test-e2e", { ...test("by-template", "test-template"), compare_base: true });
  expect(tested).toMatch(/by-template: asked by its own chat template, as in training\./);
  expect(tested).toMatch(/base: asked by its own chat template\./);
  expect(await json("test-template", "all_args.json")).toMatchObject({ prompt_format: { prompt: "chat_template" } });
}, 120_000);

it("with flags it is their format, the folder's template says so, and both give the same prompts", async () => {
  const flags = { user_prefix: "<s>[INST]", assistant_prefix: "[/INST]", sep_user: " ", sep_sys: "</s>" };
  await succeeds("train-generator", { ...training("by-flags"), ...flags });
  const { chat_template } = await json("by-flags", "tokenizer_config.json");
  expect(chat_template).toContain("[/INST]");
  expect(await readdir(at("by-flags"))).not.toContain("chat_template.jinja");
  await succeeds("test-e2e", test("by-flags", "test-flags"));
  // Another program has the folder without our file: only the template tells it how to ask.
  await cp(at("by-flags"), at("elsewhere"), { recursive: true });
  await rm(at("elsewhere", "rag_ft_prompt.json"));
  expect(await succeeds("test-e2e", test("elsewhere", "test-elsewhere"))).toMatch(/asked by its own chat template\./);
  const predictions = async (name: string): Promise<string[]> =>
    (await readFile(at(name, "test-predictions.jsonl"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).generated_answer);
  expect(await promptTokens("test-elsewhere")).toEqual(await promptTokens("test-flags"));
  expect(await predictions("test-elsewhere")).toEqual(await predictions("test-flags"));
}, 120_000);
