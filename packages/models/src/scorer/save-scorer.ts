import { join } from "node:path";
import { writeFileAtomic, writeFolderAtomic, writeJsonAtomic } from "@rag-ft/core";

import { input, type ModelSource } from "@rag-ft/onnx";
import { TEMPLATE_FILE } from "../chat/read-chat-template.js";
import { editJsonFile } from "../checkpoint/edit-json.js";
import { copyModelSideFiles } from "../checkpoint/side-files.js";
import { writeOnnx } from "../export/write-onnx.js";
import { Parameters } from "../graph/parameters.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { type LoadedScorer, pairLogits } from "./load-scorer.js";
import { type PairFormat, TRANSFORMER_FILE } from "./pair-format.js";

const TOKENIZER_CONFIG = "tokenizer_config.json";
const SIGMOID = "torch.nn.modules.activation.Sigmoid";
const IDENTITY = "torch.nn.modules.linear.Identity";

/** Names of transformers' classes, by `model_type`. */
const CLASSES: Readonly<Record<string, string>> = {
  bert: "BertForSequenceClassification",
  roberta: "RobertaForSequenceClassification",
  "xlm-roberta": "XLMRobertaForSequenceClassification",
  modernbert: "ModernBertForSequenceClassification",
  distilbert: "DistilBertForSequenceClassification",
  mpnet: "MPNetForSequenceClassification",
  gte: "GteForSequenceClassification",
  new: "NewForSequenceClassification",
  qwen3: "Qwen3ForSequenceClassification",
};

/** The reranker as an ONNX model with its weights, with the inputs and output that transformers.js expects. */
export function exportScorer(scorer: LoadedScorer): ModelSource {
  const named = (name: string): ReturnType<typeof input> => input(name, "int64", ["batch", "tokens"]);
  const inputs = { ids: named("input_ids"), mask: named("attention_mask") };
  const types = scorer.architecture.hasTokenTypes ? { tokenTypes: named("token_type_ids") } : {};
  const logits = pairLogits(scorer, new Parameters(), { ...inputs, ...types });
  return { outputs: { logits }, weights: scorer.weights, inputs: [...Object.values(inputs), ...Object.values(types)] };
}

/** A config that says to other programs what the reranker is. */
function statedBy(
  { labels, sigmoid }: LoadedScorer,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const names = Array.from({ length: labels }, (_, i) => `LABEL_${i}`);
  const known = Object.keys(config.id2label ?? {}).length === labels;
  return {
    ...config,
    architectures: [CLASSES[String(config.model_type)]],
    ...(known
      ? {}
      : {
          id2label: Object.fromEntries(names.map((name, i) => [i, name])),
          label2id: Object.fromEntries(names.map((name, i) => [name, i])),
        }),
    sentence_transformers: { activation_fn: sigmoid ? SIGMOID : IDENTITY },
    // Without it transformers.js makes a softmax of the one logit, which is always 1.
    ...(labels === 1 ? { problem_type: "multi_label_classification" } : {}),
  };
}

const asMessage = { method: "forward", method_output_name: "logits" };

/** What makes CrossEncoder put pairs into the template; of a module LogitScore nothing stays, as the head says the same. */
async function writePairFormat(folder: string, { source }: PairFormat): Promise<void> {
  await writeFileAtomic(join(folder, TEMPLATE_FILE), source);
  await writeJsonAtomic(join(folder, TRANSFORMER_FILE), {
    transformer_task: "sequence-classification",
    modality_config: { text: asMessage, message: { ...asMessage, format: "flat" } },
    module_output_name: "scores",
  });
}

/**
 * Writes a reranker as a folder that transformers.js (with `onnx`), transformers, CrossEncoder of sentence-transformers and we load; whole or not at all.
 * `extra` may add files of its own to the folder before it appears.
 */
export async function saveScorer(
  folder: string,
  scorer: LoadedScorer,
  extra?: (temporary: string) => Promise<void>,
  { onnx = true }: { onnx?: boolean | undefined } = {},
): Promise<void> {
  await writeFolderAtomic(folder, async (temporary) => {
    const names = await copyModelSideFiles(scorer.folder, temporary);
    // Where other programs, and we, read the longest pair.
    const tokenizer = join(temporary, TOKENIZER_CONFIG);
    if (names.includes(TOKENIZER_CONFIG))
      await editJsonFile(tokenizer, (config) => ({ ...config, model_max_length: scorer.maxLength }));
    else await writeJsonAtomic(tokenizer, { model_max_length: scorer.maxLength });
    await editJsonFile(join(temporary, "config.json"), (config) => statedBy(scorer, config));
    await writeSafetensors(join(temporary, "model.safetensors"), scorer.weights);
    if (scorer.pairFormat) await writePairFormat(temporary, scorer.pairFormat);
    if (onnx) await writeOnnx(temporary, exportScorer(scorer));
    await extra?.(temporary);
  });
}
