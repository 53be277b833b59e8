import { join } from "node:path";
import { writeJsonAtomic } from "@rag-ft/core";
import { writeDenseConfig } from "./dense-files.js";
import type { SavedEncoderSettings } from "./saved-encoder-settings.js";

/** The module names of sentence-transformers 2: later versions still load them, earlier ones know no others. */
const moduleType = (name: string): string => `sentence_transformers.models.${name}`;

/**
 * Writes what Python's sentence-transformers (version 2 and later) needs beside `config.json`, weights and tokenizer:
 * `modules.json`, `1_Pooling/config.json`, a folder for each dense layer (without its weights), for cosine a normalising module, `sentence_bert_config.json`, and
 * `config_sentence_transformers.json` with the prefixes as prompts (`query`; `document` and `passage`, as both names are in use).
 */
export async function writeSentenceTransformersFiles(
  folder: string,
  settings: SavedEncoderSettings & { /** Width of the hidden states. */ dimensions: number },
): Promise<void> {
  const {
    pooling,
    dimensions,
    similarity,
    maxSeqLength,
    queryPrefix,
    passagePrefix,
    dense = [],
    truncateDim,
  } = settings;
  const modules = [
    { idx: 0, name: "0", path: "", type: moduleType("Transformer") },
    { idx: 1, name: "1", path: "1_Pooling", type: moduleType("Pooling") },
  ];
  const add = (path: string, type: string): void => {
    modules.push({ idx: modules.length, name: String(modules.length), path, type: moduleType(type) });
  };
  for (const { folder: path } of dense) add(path, "Dense");
  const normalize = `${modules.length}_Normalize`;
  if (similarity === "cosine") add(normalize, "Normalize");
  for (const layer of dense) await writeDenseConfig(folder, layer);
  await writeJsonAtomic(join(folder, "1_Pooling", "config.json"), {
    word_embedding_dimension: dimensions,
    pooling_mode_cls_token: pooling === "cls",
    pooling_mode_mean_tokens: pooling === "mean",
    pooling_mode_max_tokens: pooling === "max",
    pooling_mode_mean_sqrt_len_tokens: false,
    pooling_mode_weightedmean_tokens: pooling === "weightedmean",
    pooling_mode_lasttoken: pooling === "lasttoken",
    include_prompt: true,
  });
  if (similarity === "cosine") await writeJsonAtomic(join(folder, normalize, "config.json"), {});
  await writeJsonAtomic(join(folder, "sentence_bert_config.json"), {
    max_seq_length: maxSeqLength,
    do_lower_case: false,
  });
  await writeJsonAtomic(join(folder, "config_sentence_transformers.json"), {
    prompts: { query: queryPrefix, document: passagePrefix, passage: passagePrefix },
    default_prompt_name: null,
    similarity_fn_name: similarity,
    ...(truncateDim === undefined ? {} : { truncate_dim: truncateDim }),
  });
  await writeJsonAtomic(join(folder, "modules.json"), modules);
}
