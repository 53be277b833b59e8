import { basename, dirname, join } from "node:path";
import { writeChunksAtomic, writeFileAtomic } from "@rag-ft/core";
import { type ExternalData, fitsModel, MAX_MODEL_BYTES, type ModelSource, serialiseModel } from "./serialise.js";

/** Bytes of an external data file, with zeros between its parts. */
function* contentOf({ parts }: ExternalData): Generator<Uint8Array> {
  let at = 0;
  for (const { offset, bytes, read } of parts) {
    if (offset > at) yield new Uint8Array(offset - at);
    yield read();
    at = offset + bytes;
  }
}

/**
 * Writes a graph with its weights as an ONNX file. Weights above `limit` bytes (protobuf's) go to `<name>_data` beside it, as
 * transformers.js expects. Returns whether they did.
 */
export async function writeModel(path: string, source: ModelSource, limit = MAX_MODEL_BYTES): Promise<boolean> {
  if (fitsModel(source, limit)) {
    await writeFileAtomic(path, serialiseModel(source));
    return false;
  }
  const external: ExternalData = { file: `${basename(path)}_data`, parts: [] };
  const model = serialiseModel({ ...source, external });
  await writeChunksAtomic(join(dirname(path), external.file), contentOf(external));
  await writeFileAtomic(path, model);
  return true;
}
