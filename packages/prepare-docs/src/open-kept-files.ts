import { join } from "node:path";
import { hashFile, hashText } from "@rag-ft/core";
import { type CutOptions, KeptFiles, type KeptFilesOptions } from "@rag-ft/documents";
import { programVersion } from "./program-version.js";

/** Files of a model folder that say how it counts tokens. */
const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"];

/**
 * What the last run made of each file, by the same settings, tokenizer and program.
 *
 * @param path - where it is kept
 * @param tokenizer - folder of the tokenizer
 */
export async function openKeptFiles(
  path: string,
  tokenizer: string,
  { chunkSize, chunkOverlap, characters = 0 }: CutOptions,
  options: Omit<KeptFilesOptions, "madeBy">,
): Promise<KeptFiles> {
  const hashes = TOKENIZER_FILES.map((name) => hashFile(join(tokenizer, name)).catch(() => ""));
  const parts = [chunkSize, chunkOverlap, characters, programVersion(), ...(await Promise.all(hashes))];
  return KeptFiles.open(path, { madeBy: hashText(JSON.stringify(parts)), ...options });
}
