import { basename, join } from "node:path";
import { type Document, type StageContext, UserError } from "@rag-ft/core";
import { bm25Retriever, denseRetriever, openIndex, type PassageEncoder, type Retriever } from "@rag-ft/retrieval";
import type { TestRetrieverSettings } from "./settings.js";

/** A retriever under test. */
export interface System {
  /** For tables. */
  label: string;
  kind: "bm25" | "dense";
  /** The model as given; absent for BM25. */
  model?: string;
  /** Folder of its results in `output_dir`. */
  folder: string;
  open(documents: readonly Document[], context: StageContext): Promise<Retriever>;
}

/** A label as a folder's name. */
function folderName(label: string): string {
  return label.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|-+$/g, "") || "model";
}

function labelsOf({ model_path, label }: TestRetrieverSettings): string[] {
  if (label !== undefined && label.length !== model_path.length) {
    throw new UserError(
      `${label.length} labels (${label.join(", ")}) for ${model_path.length} models. Give one a model.`,
    );
  }
  if (label !== undefined) return label;
  const names = model_path.map((path) => basename(path) || path);
  // Two folders of the same name are told apart by their whole paths.
  return names.map((name, i) => (names.indexOf(name) === names.lastIndexOf(name) ? name : (model_path[i] ?? name)));
}

const BM25: System = {
  label: "BM25",
  kind: "bm25",
  folder: "BM25",
  open: async (documents) => bm25Retriever(documents),
};

/** BM25 and the models, in the order of the table. `encoders` are the models' own, opened already. */
export function systemsOf(settings: TestRetrieverSettings, encoders: readonly PassageEncoder[]): System[] {
  const labels = labelsOf(settings);
  const systems: System[] = [
    BM25,
    ...encoders.map(
      (encoder, i): System => ({
        label: labels[i] ?? "",
        kind: "dense",
        model: settings.model_path[i],
        folder: folderName(labels[i] ?? ""),
        async open(documents, context) {
          const indexPath =
            settings.index_path && join(settings.index_path, encoder.fingerprint.replace(/[^\w]+/g, "-").slice(0, 40));
          return denseRetriever(await openIndex(documents, encoder, { ...context, indexPath }), encoder);
        },
      }),
    ),
  ];
  const taken = new Map<string, string>();
  for (const { folder, label } of systems) {
    const earlier = taken.get(folder.toLowerCase());
    if (earlier !== undefined)
      throw new UserError(`${earlier} and ${label} would share the folder ${folder}. Give each model its own --label.`);
    taken.set(folder.toLowerCase(), label);
  }
  return systems;
}

/** Fails before any work when labels are wrong. */
export function checkLabels(settings: TestRetrieverSettings): void {
  labelsOf(settings);
}
