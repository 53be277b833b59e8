import { join } from "node:path";
import { hashFile, hashText } from "@rag-ft/core";
import { type CutOptions, KeptFiles, type KeptFilesOptions } from "@rag-ft/documents";
import { programVersion } from "./program-version.js";

/** Files of a model folder that say how it counts tokens. */
const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"];

/** All besides the files that decides how they are cut: settings, and hashes of tokenizer and program. */
export async function cuttingOf(
  tokenizer: string,
  { chunkSize, chunkOverlap, characters = 0 }: CutOptions,
): Promise<{
  chunk_size: number;
  chunk_overlap_size: number;
  chunk_characters: number;
  program: string;
  tokenizer: string[];
}> {
  const hashes = TOKENIZER_FILES.map((name) => hashFile(join(tokenizer, name)).catch(() => ""));
  return {
    ...{ chunk_size: chunkSize, chunk_overlap_size: chunkOverlap, chunk_characters: characters },
    program: programVersion(),
    tokenizer: await Promise.all(hashes),
  };
}

/**
 * What the last run made of each file, by the same settings, tokenizer and program.
 *
 * @param path - where it is kept
 * @param tokenizer - folder of the tokenizer
 */
export async function openKeptFiles(
  path: string,
  tokenizer: string,
  cut: CutOptions,
  options: Omit<KeptFilesOptions, "madeBy">,
): Promise<KeptFiles> {
  const parts = Object.values(await cuttingOf(tokenizer, cut)).flat();
  return KeptFiles.open(path, { madeBy: hashText(JSON.stringify(parts)), ...options });
}
