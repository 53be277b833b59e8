import { join } from "node:path";
import type { TalliedContext } from "@rag-ft/answer";
import {
  type Document,
  InternalError,
  type QaRow,
  type SearchesFile,
  type StageContext,
  silentReporter,
  sourceOf,
  type UsedSearch,
} from "@rag-ft/core";
import {
  bm25System,
  hybridRetriever,
  type OpenedRetriever,
  openRetriever,
  type PassageEncoder,
  type RetrievalKind,
  type RetrieverSystem,
  resolveBm25Weight,
  SPARE_PASSAGES,
  type TestedSystem,
  testSystems,
} from "@rag-ft/retrieval";
import { type ComparedModels, type Side, sidesOf } from "./cells.js";
import type { TestE2eParts } from "./parts.js";
import { type Score, scoreOf } from "./score.js";
import type { TestE2eSettings } from "./settings.js";

/** Settings with `auto` resolved. */
export type SearchingSettings = TestE2eSettings & { retrieval: RetrievalKind };

/** A comparison keeps vectors even unasked: a run that is killed later must not embed a database twice. */
function indexPath({ index_path, compare_base, output_dir }: TestE2eSettings, side: Side): string | undefined {
  if (!compare_base) return index_path;
  return side === "tuned" && index_path !== undefined ? index_path : join(output_dir, "index", side);
}

/** A retriever of the comparison, before or after tuning. */
interface SideSystem extends RetrieverSystem {
  kind: UsedSearch["retrieval"];
  side: Side;
}

export type SideRetrieval = TestedSystem<SideSystem>;

/** How a side's passages were found. */
export function usedSearch({ system, bm25Weight, reranking }: SideRetrieval): UsedSearch {
  const { cost: _, ...how } = reranking ?? { cost: undefined };
  return { retrieval: system.kind, ...(bm25Weight === undefined ? {} : { bm25_weight: bm25Weight }), ...how };
}

/** What was found, and by the tuned retriever's index searched the other way: with BM25, or by the vectors alone. */
export interface Searches {
  sides: ReadonlyMap<Side, SideRetrieval>;
  other?: SideRetrieval;
}

/** Remembers the vectors of questions: a second search of the same index neither waits nor pays for them again. */
function embeddingOnce(encoder: PassageEncoder): PassageEncoder {
  let known: { texts: readonly string[]; vectors: Promise<Float32Array> } | undefined;
  return {
    ...encoder,
    close: () => encoder.close(),
    embed(texts, kind, options) {
      if (kind !== "query") return encoder.embed(texts, kind, options);
      if (known?.texts.length !== texts.length || !texts.every((text, i) => text === known?.texts[i]))
        known = { texts, vectors: encoder.embed(texts, kind, options) };
      return known.vectors;
    },
  };
}

/** The retriever of a side as settings search with it, and, of one with vectors, the other way beside it; the last one closes both. */
function systemsOfSide(
  side: Side,
  model: string,
  settings: SearchingSettings,
  open: () => Promise<OpenedRetriever>,
): SideSystem[] {
  const { retrieval } = settings;
  if (side === "base" || retrieval === "bm25") return [{ side, label: model, kind: retrieval, open }];
  const other = retrieval === "dense" ? "hybrid" : "dense";
  let opened: OpenedRetriever | undefined;
  return [
    {
      side,
      label: model,
      kind: retrieval,
      async open() {
        opened = await open();
        return { ...opened, close: async () => {} };
      },
    },
    {
      side,
      label: model,
      kind: other,
      async open() {
        const { dense, close } = opened as OpenedRetriever;
        if (dense === undefined) throw new InternalError(`${model}: searched by ${retrieval}, without vectors.`);
        if (other === "dense") return { ...dense, close };
        const weight = await resolveBm25Weight({ retrieval: other }, model, silentReporter);
        return { ...hybridRetriever(dense.index, dense.encoder, weight), bm25Weight: weight, close };
      },
    },
  ];
}

/** Each retriever once: it embeds the database and all questions, and is closed before the next is opened. */
export async function retrieveForAll(
  models: ComparedModels["retriever"],
  documents: readonly Document[],
  rows: readonly QaRow[],
  settings: SearchingSettings,
  context: TalliedContext,
  parts: Pick<TestE2eParts, "openEncoder">,
): Promise<Searches> {
  const unclosed = new Set<OpenedRetriever>();
  const systems = sidesOf(models).flatMap((side): SideSystem[] => {
    const model = models[side];
    return systemsOfSide(side, model, settings, async () => {
      const opened = await openRetriever(documents, {
        ...context,
        settings,
        device: settings.device,
        model,
        openEncoder: async () =>
          embeddingOnce(await parts.openEncoder({ ...settings, embedding_model_name_or_path: model }, context)),
        indexPath: indexPath(settings, side),
        questions: rows.length,
      });
      const held: OpenedRetriever = {
        ...opened,
        async close() {
          unclosed.delete(held);
          await opened.close();
        },
      };
      unclosed.add(held);
      return held;
    });
  });
  const depth = settings.embedding_max_num_to_retrieve;
  const deeper = settings.no_answer_eval ? depth + SPARE_PASSAGES : undefined;
  const options = { questions: rows, depth, deeper };
  try {
    const found = await testSystems(systems, documents, options, context);
    const used = found.filter(({ system }) => system.kind === settings.retrieval);
    const other = found.find(({ system }) => system.kind !== settings.retrieval);
    return { sides: new Map(used.map((one) => [one.system.side, one])), ...(other ? { other } : {}) };
  } finally {
    for (const retriever of unclosed) await retriever.close();
  }
}

/** A search of the same questions that answers nothing: what any retriever should beat, or what it could be. */
export type SearchAlone = SearchesFile["alone"][number];

/** BM25, and the tuned retriever searched the other way. */
export async function searchesAlone(
  documents: readonly Document[],
  rows: readonly QaRow[],
  { other }: Searches,
  settings: Pick<TestE2eSettings, "embedding_max_num_to_retrieve" | "seed">,
  context: StageContext,
): Promise<SearchAlone[]> {
  const options = { questions: rows, depth: settings.embedding_max_num_to_retrieve };
  // Which questions cannot score was said before.
  const quiet = { ...context, reporter: silentReporter };
  const figuresOf = (found: Record<string, number>[]): Score => scoreOf(found, {}, settings.seed, rows.map(sourceOf));
  const [words] = await testSystems([bm25System], documents, options, quiet);
  return [
    { retrieval: "bm25", figures: figuresOf(words?.rows ?? []) },
    ...(other ? [{ ...usedSearch(other), model: other.system.label, figures: figuresOf(other.rows) }] : []),
  ];
}
