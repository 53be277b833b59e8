import { mkdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { formatTable, type StageContext, type StageResult, UserError } from "@rag-ft/core";
import {
  copyModelSideFiles,
  exportDecoder,
  exportEncoder,
  exportScorer,
  type GgufPrecision,
  loadDecoder,
  loadEncoder,
  loadScorer,
  readConfig,
  resolveModelFolder,
  writeDecoderGguf,
  writeEncoderGguf,
  writeQuantisedOnnx,
} from "@rag-ft/models";
import { type ModelUse, modelUse } from "./model-use.js";
import type { ExportSettings } from "./settings.js";

/** A model in memory, in the forms that it can take. */
interface Exports {
  quantised(folder: string): Promise<string>;
  gguf(path: string, precision: GgufPrecision): Promise<void>;
}

async function openExports(folder: string, use: ModelUse, context: StageContext): Promise<Exports> {
  const { reporter } = context;
  if (use === "generator") {
    const decoder = await loadDecoder(folder, context);
    return {
      quantised: (to) => writeQuantisedOnnx(to, exportDecoder(decoder)),
      gguf: (path, precision) => writeDecoderGguf(path, decoder, precision, reporter),
    };
  }
  if (use === "encoder") {
    const encoder = await loadEncoder(folder, context);
    return {
      quantised: (to) => writeQuantisedOnnx(to, exportEncoder(encoder)),
      gguf: (path, precision) => writeEncoderGguf(path, encoder, precision, reporter),
    };
  }
  const scorer = await loadScorer(folder, context);
  return {
    quantised: (to) => writeQuantisedOnnx(to, exportScorer(scorer)),
    gguf: () => {
      throw new UserError(`${folder}: a reranker is not written as GGUF. Export it as q8 instead.`);
    },
  };
}

const PRECISION: Readonly<Record<"gguf-f16" | "gguf-q8_0", GgufPrecision>> = { "gguf-f16": "F16", "gguf-q8_0": "Q8_0" };

/** Where the files go: the model's own folder, unless it is one of the cache. */
async function targetFolder({ model_path: model, output }: ExportSettings, folder: string): Promise<string> {
  if (output === undefined) {
    if (resolve(model) === resolve(folder)) return folder;
    throw new UserError(`--output: ${model} is a model of the hub. Give the folder that its exports go to.`);
  }
  if (resolve(output) !== resolve(folder)) {
    await mkdir(output, { recursive: true });
    await copyModelSideFiles(folder, output);
  }
  return output;
}

/** Writes a model in the forms that are asked for, from one reading of its weights. */
export async function exportModel(settings: ExportSettings, context: StageContext): Promise<StageResult> {
  const folder = await resolveModelFolder(settings.model_path, { ...context, files: "all" });
  const use = settings.use === "auto" ? await modelUse(folder, await readConfig(folder)) : settings.use;
  const exports = await openExports(folder, use, context);
  const target = await targetFolder(settings, folder);
  const name = basename(resolve(settings.model_path));
  const rows: { form: string; file: string; MB: string }[] = [];
  const outputs: string[] = [];
  for (const form of new Set(settings.to)) {
    let path: string;
    if (form === "q8") path = await exports.quantised(target);
    else {
      path = join(target, `${name}-${PRECISION[form]}.gguf`);
      await exports.gguf(path, PRECISION[form]);
    }
    outputs.push(path);
    rows.push({ form, file: path, MB: ((await stat(path)).size / 1e6).toFixed(1) });
  }
  return { outputs, summary: `${use}\n${formatTable(rows, ["form", "file", "MB"])}`, record_folder: target };
}
