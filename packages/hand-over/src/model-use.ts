import { access } from "node:fs/promises";
import { join } from "node:path";
import { knownUses, type RawConfig } from "@rag-ft/models";

export type ModelUse = "encoder" | "generator" | "reranker";

/** What a folder's files say that its model is for; of a type that is both, an encoder has sentence-transformers' files or no head. */
export async function modelUse(folder: string, config: RawConfig): Promise<ModelUse> {
  const [first = ""] = Array.isArray(config.architectures) ? config.architectures.map(String) : [];
  if (first.endsWith("ForSequenceClassification")) return "reranker";
  const { encoder, decoder } = knownUses(config);
  if (!(encoder && decoder)) return decoder ? "generator" : "encoder";
  const hasModules = await access(join(folder, "modules.json")).then(
    () => true,
    () => false,
  );
  return hasModules || !first.endsWith("ForCausalLM") ? "encoder" : "generator";
}
