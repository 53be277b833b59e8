import { join } from "node:path";
import type { TalliedContext } from "@rag-ft/answer";
import { type Document, type QaRow, type StageContext, silentReporter, sourceOf } from "@rag-ft/core";
import { bm25System, openRetriever, type RetrieverSystem, type TestedSystem, testSystems } from "@rag-ft/retrieval";
import { type ComparedModels, type Side, sidesOf } from "./cells.js";
import type { TestE2eParts } from "./parts.js";
import { type Score, scoreOf } from "./score.js";
import type { TestE2eSettings } from "./settings.js";

/** A comparison keeps vectors even unasked: a run that is killed later must not embed a database twice. */
function indexPath({ index_path, compare_base, output_dir }: TestE2eSettings, side: Side): string | undefined {
  if (!compare_base) return index_path;
  return side === "tuned" && index_path !== undefined ? index_path : join(output_dir, "index", side);
}

/** A retriever of the comparison, before or after tuning. */
interface SideSystem extends RetrieverSystem {
  side: Side;
}

export type SideRetrieval = TestedSystem<SideSystem>;

/** Each retriever once: it embeds the database and all questions, and is closed before the next is opened. */
export async function retrieveForAll(
  models: ComparedModels["retriever"],
  documents: readonly Document[],
  rows: readonly QaRow[],
  settings: TestE2eSettings,
  context: TalliedContext,
  parts: Pick<TestE2eParts, "openEncoder">,
): Promise<Map<Side, SideRetrieval>> {
  const systems = sidesOf(models).map((side): SideSystem => {
    const model = models[side];
    return {
      side,
      label: model,
      kind: settings.retrieval,
      open: () =>
        openRetriever(documents, {
          ...context,
          settings,
          model,
          openEncoder: () => parts.openEncoder({ ...settings, embedding_model_name_or_path: model }, context),
          indexPath: indexPath(settings, side),
        }),
    };
  });
  const options = { questions: rows, depth: settings.embedding_max_num_to_retrieve };
  const found = await testSystems(systems, documents, options, context);
  return new Map(found.map((one) => [one.system.side, one]));
}

/** The table's line of the baseline that any retriever should beat: BM25 on the same questions. It answers nothing. */
export async function bm25Row(
  documents: readonly Document[],
  rows: readonly QaRow[],
  settings: Pick<TestE2eSettings, "embedding_max_num_to_retrieve" | "seed">,
  context: StageContext,
): Promise<{ label: string; figures: Score }> {
  const options = { questions: rows, depth: settings.embedding_max_num_to_retrieve };
  // Which questions cannot score was said before.
  const quiet = { ...context, reporter: silentReporter };
  const [found] = await testSystems([bm25System], documents, options, quiet);
  return {
    label: "BM25, retrieval alone",
    figures: scoreOf(found?.rows ?? [], {}, settings.seed, found && rows.map(sourceOf)),
  };
}
