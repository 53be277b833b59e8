import { join } from "node:path";
import { writeJsonAtomic } from "@rag-ft/core";
import type { SavedEncoderSettings } from "./saved-encoder-settings.js";

/** The module names of sentence-transformers 2: later versions still load them, earlier ones know no others. */
const moduleType = (name: string): string => `sentence_transformers.models.${name}`;

/**
 * Writes what Python's sentence-transformers (version 2 and later) needs beside `config.json`, weights and tokenizer:
 * `modules.json`, `1_Pooling/config.json`, for cosine a normalising module, `sentence_bert_config.json`, and
 * `config_sentence_transformers.json` with the prefixes as prompts (`query`; `document` and `passage`, as both names are in use).
 */
export async function writeSentenceTransformersFiles(
  folder: string,
  settings: SavedEncoderSettings & { /** Length of a vector. */ dimensions: number },
): Promise<void> {
  const { pooling, dimensions, similarity, maxSeqLength, queryPrefix, passagePrefix } = settings;
  const modules = [
    { idx: 0, name: "0", path: "", type: moduleType("Transformer") },
    { idx: 1, name: "1", path: "1_Pooling", type: moduleType("Pooling") },
  ];
  if (similarity === "cosine") modules.push({ idx: 2, name: "2", path: "2_Normalize", type: moduleType("Normalize") });
  await writeJsonAtomic(join(folder, "1_Pooling", "config.json"), {
    word_embedding_dimension: dimensions,
    pooling_mode_cls_token: pooling === "cls",
    pooling_mode_mean_tokens: pooling === "mean",
    pooling_mode_max_tokens: false,
    pooling_mode_mean_sqrt_len_tokens: false,
    pooling_mode_weightedmean_tokens: false,
    pooling_mode_lasttoken: false,
    include_prompt: true,
  });
  if (similarity === "cosine") await writeJsonAtomic(join(folder, "2_Normalize", "config.json"), {});
  await writeJsonAtomic(join(folder, "sentence_bert_config.json"), {
    max_seq_length: maxSeqLength,
    do_lower_case: false,
  });
  await writeJsonAtomic(join(folder, "config_sentence_transformers.json"), {
    prompts: { query: queryPrefix, document: passagePrefix, passage: passagePrefix },
    default_prompt_name: null,
    similarity_fn_name: similarity,
  });
  await writeJsonAtomic(join(folder, "modules.json"), modules);
}
