import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "@rag-ft/core";
import { readSafetensorsHeader } from "./safetensors-header.js";

/**
 * Names and shapes of all weights of a model folder, read from the headers of its safetensors: of one file or of all parts.
 *
 * @throws UserError when there are none; DataError when a file is malformed or cut short.
 */
export async function weightShapes(folder: string): Promise<Map<string, { shape: number[] }>> {
  const names = (await readdir(folder).catch(() => [])).filter((name) =>
    /^model(-\d+-of-\d+)?\.safetensors$/.test(name),
  );
  if (names.length === 0) throw new UserError(`${folder}: no model.safetensors there, expected a model folder.`);
  const shapes = new Map<string, { shape: number[] }>();
  for (const name of names.sort()) {
    const path = join(folder, name);
    const file = await open(path, "r");
    try {
      for (const { name: tensor, shape } of await readSafetensorsHeader(path, file)) shapes.set(tensor, { shape });
    } finally {
      await file.close();
    }
  }
  return shapes;
}
