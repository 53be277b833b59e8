import type { ListFileEntry } from "@huggingface/hub";
import { DataError, UserError } from "@rag-ft/core";
import { isSideFile, isTokenizerFile } from "../checkpoint/side-files.js";

/** `tokenizer`: enough to count and cut tokens; `all`: the weights too. */
export type WantedFiles = "tokenizer" | "all";

/** A file to download, as the hub lists it. */
export interface HubFile {
  path: string;
  size: number;
  /** SHA-256 of the content (files outside git), or the SHA-1 of a git blob: also its name in the cache. */
  etag: string;
  hash: "sha256" | "git-sha1";
}

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const SHARD = /^model-\d+-of-\d+\.safetensors$/;
const ENCODER_FILES =
  /^(modules|config_sentence_transformers|sentence_bert_config)\.json$|^\d+_[A-Za-z]+\/(config\.json|model\.safetensors)$/;

function isWanted(path: string, wanted: WantedFiles, hasSingle: boolean): boolean {
  if (wanted === "tokenizer") return path === "config.json" || isTokenizerFile(path);
  if (isSideFile(path) || ENCODER_FILES.test(path)) return true;
  return hasSingle ? path === SINGLE : path === INDEX || SHARD.test(path);
}

function toHubFile(id: string, entry: ListFileEntry): HubFile {
  const etag = entry.lfs?.oid ?? entry.oid ?? "";
  const hash = entry.lfs ? "sha256" : "git-sha1";
  // The etag becomes a file name: anything but a hash is refused.
  if (!new RegExp(`^[0-9a-f]{${hash === "sha256" ? 64 : 40}}$`).test(etag)) {
    throw new DataError(`${id}: the hub lists ${entry.path} with the hash ${JSON.stringify(etag)}, expected ${hash}.`);
  }
  return { path: entry.path, size: entry.lfs?.size ?? entry.size, etag, hash };
}

/**
 * The files of a listing that are needed: configuration, tokenizer, the encoder's settings, and of the weights the single
 * safetensors file or else the parts. Other formats (onnx, bin, gguf) and second copies of the weights are left.
 *
 * @throws UserError when the model lacks something that every use needs.
 */
export function chooseFiles(id: string, listing: readonly ListFileEntry[], wanted: WantedFiles): HubFile[] {
  const files = listing.filter((entry) => entry.type === "file");
  const paths = new Set(files.map((entry) => entry.path));
  const chosen = files.filter((entry) => isWanted(entry.path, wanted, paths.has(SINGLE)));
  if (!paths.has("tokenizer.json")) {
    throw new UserError(
      `${id}: the model on the hub has no tokenizer.json. Download it with Python, save it with ` +
        "AutoTokenizer.from_pretrained(...).save_pretrained(folder), and give that folder.",
    );
  }
  if (wanted === "all" && !paths.has(SINGLE) && !paths.has(INDEX)) {
    const other = [...paths].filter((path) => /\.(bin|pth?|gguf|h5|onnx|msgpack)$/.test(path)).slice(0, 3);
    throw new UserError(
      `${id}: the model on the hub has no ${SINGLE}${other.length > 0 ? ` (only ${other.join(", ")})` : ""}. Convert it with ` +
        "Python: AutoModel.from_pretrained(...).save_pretrained(folder, safe_serialization=True), and give that folder.",
    );
  }
  return chosen.map((entry) => toHubFile(id, entry));
}
