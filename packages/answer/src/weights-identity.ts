import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { hashText } from "@rag-ft/core";

/**
 * A hash that changes whenever a weight file of the folder is replaced; of names, sizes and times, since hashing gigabytes
 * takes too long. An ONNX graph beside safetensors is made from them and does not count: the first run may write it.
 */
export async function weightsIdentity(folder: string): Promise<string> {
  const describe = async (place: string, wanted: RegExp): Promise<string[]> => {
    const names = (await readdir(place).catch(() => [])).filter((name) => wanted.test(name)).sort();
    return Promise.all(
      names.map(async (name) => {
        const info = await stat(join(place, name));
        return `${name} ${info.size} ${info.mtimeMs}`;
      }),
    );
  };
  const safetensors = await describe(folder, /\.safetensors$/);
  const weights = safetensors.length > 0 ? safetensors : await describe(join(folder, "onnx"), /\.onnx(_data)?$/);
  return hashText([...weights, ...(await describe(folder, /^tokenizer\.json$/))].join("\n"));
}
