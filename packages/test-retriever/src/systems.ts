import { basename } from "node:path";
import { type Document, type StageContext, UserError } from "@rag-ft/core";
import {
  bm25System,
  checkReranking,
  checkRetrieval,
  denseRetriever,
  hybridRetriever,
  type NamedStore,
  type OpenedReranker,
  type OpenedRetriever,
  openIndex,
  type PassageEncoder,
  type PassageIndex,
  type Retriever,
  type RetrieverSystem,
  requireStore,
  resolveRetrieval,
  withReranker,
} from "@rag-ft/retrieval";
import type { TestQuestion } from "./read-questions.js";
import type { TestRetrieverSettings } from "./settings.js";
import { runSystems } from "./trec.js";

/** A retriever under test, with the place of its results. */
export interface System extends RetrieverSystem {
  /** The model as given; absent for BM25. */
  model?: string;
  /** Folder of its results in `output_dir`. */
  folder: string;
  /** Of hybrid search, beside the vectors. */
  bm25_weight?: number;
  /** The file of another system's run. */
  run?: string;
  /** Where its first passages are reordered. */
  rerank?: { reranker: string; rerank_top_n: number; rerank_weight: number };
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

const BM25: System = { ...bm25System, folder: bm25System.label };

/** The encoder belongs to the stage: its vectors are searched in two ways. */
const unowned = (retriever: Retriever): OpenedRetriever => ({ ...retriever, close: async () => {} });

interface OpenedModel {
  model: string;
  label: string;
  weight: number | undefined;
  root: string | undefined;
  store: NamedStore | undefined;
  /** How many will be asked. */
  questions: number;
  /** Is told how to close what was opened. */
  closers: (() => Promise<void>)[];
}

/** A model's vectors, and with `weight` the same model with BM25; the database is embedded once for both. */
function systemsOfModel(
  encoder: PassageEncoder,
  { model, label, weight, root, store, questions, closers }: OpenedModel,
): System[] {
  let opened: Promise<PassageIndex> | undefined;
  const open = (documents: readonly Document[], context: StageContext): Promise<PassageIndex> => {
    if (opened === undefined) {
      const opening = openIndex(documents, encoder, { ...context, indexPath: root, store, questions });
      opened = opening;
      closers.push(async () => (await opening.catch(() => undefined))?.store.close());
    }
    return opened;
  };
  const dense: System = {
    label,
    kind: "dense",
    model,
    folder: folderName(label),
    open: async (documents, context) => unowned(denseRetriever(await open(documents, context), encoder)),
  };
  if (weight === undefined) return [dense];
  const fused = `${label} + ${weight} BM25`;
  return [
    dense,
    {
      label: fused,
      kind: "hybrid",
      model,
      bm25_weight: weight,
      folder: folderName(fused),
      open: async (documents, context) => unowned(hybridRetriever(await open(documents, context), encoder, weight)),
    },
  ];
}

/** A search with its first passages reordered. The reranker belongs to the stage, too. */
function rerankedSystem(system: System, { model: reranker, scorer, topN, weight }: OpenedReranker): System {
  const label = `${system.label}, ${topN} reranked`;
  const unclosed = { ...scorer, close: async () => {} };
  return {
    ...system,
    label,
    folder: folderName(label),
    rerank: { reranker, rerank_top_n: topN, rerank_weight: weight },
    open: async (documents, context) =>
      withReranker(await system.open(documents, context), { model: reranker, scorer: unclosed, topN, weight }),
  };
}

/** BM25 and the models, in the order of the table; `close` closes their stores. `encoders` are the models' own, and `reranker` is for each, all opened already. */
export async function systemsOf(
  settings: TestRetrieverSettings,
  { encoders, reranker }: { encoders: readonly PassageEncoder[]; reranker: OpenedReranker | undefined },
  questions: readonly TestQuestion[],
  { reporter, env }: StageContext,
): Promise<{ systems: System[]; close(): Promise<void> }> {
  const labels = labelsOf(settings);
  const store = await requireStore(settings, env);
  const closers: OpenedModel["closers"] = [];
  const systems: System[] = [BM25];
  for (const [i, encoder] of encoders.entries()) {
    const model = settings.model_path[i] ?? "";
    const { bm25_weight: weight } = await resolveRetrieval(settings, model, reporter);
    systems.push(
      ...systemsOfModel(encoder, {
        model,
        label: labels[i] ?? "",
        weight,
        root: settings.index_path,
        store,
        questions: questions.length,
        closers,
      }),
    );
    if (reranker) systems.push(rerankedSystem(systems.at(-1) as System, reranker));
  }
  if (reranker && encoders.length === 0) systems.push(rerankedSystem(BM25, reranker));
  for (const run of runSystems(settings.trec_runs, questions)) systems.push({ ...run, folder: folderName(run.label) });
  const taken = new Map<string, string>();
  for (const { folder, label } of systems) {
    const earlier = taken.get(folder.toLowerCase());
    if (earlier !== undefined)
      throw new UserError(`${earlier} and ${label} would share the folder ${folder}. Give each model its own --label.`);
    taken.set(folder.toLowerCase(), label);
  }
  return {
    systems,
    async close() {
      for (const close of closers) await close();
    },
  };
}

/** Fails before any work when labels or settings do not fit. */
export function checkSystems(settings: TestRetrieverSettings): void {
  labelsOf(settings);
  checkRetrieval(settings);
  checkReranking(settings);
  if (settings.retrieval === "hybrid" && settings.model_path.length === 0)
    throw new UserError("retrieval hybrid: no model for BM25 to be beside. Give --model_path.");
}
