import { basename, join, resolve } from "node:path";
import {
  formatTable,
  ownsFolder,
  type PlanContext,
  plannedRows,
  type QuestionsRow,
  questionFilesIn,
  questionsPathKind,
  readDocuments,
  readQuestions,
  retrievalQuery,
  type Stage,
  type StageContext,
  type StagePlan,
  UserError,
  writeJsonl,
} from "@rag-ft/core";
import { isEmbeddingModelName, openVectorTally, planEmbeddings, type RequestTally, readPrices } from "@rag-ft/llm";
import {
  checkIndexPath,
  type Mined,
  mineHardNegatives,
  miningOptions,
  openDenseRetriever,
  openPassageEncoder,
  VECTORS_FOLDER,
} from "@rag-ft/retrieval";
import { type MineNegativesSettings, mineNegativesSettings } from "./settings.js";

interface Split {
  from: string;
  to: string;
  rows: QuestionsRow[];
}

/** The file named, or those of the splits in the folder named. */
async function filesOf(path: string): Promise<string[]> {
  if ((await questionsPathKind(path)) === "file") return [path];
  return (await questionFilesIn(path)).map((file) => file.path);
}

async function readSplits({ dataset_w_q: path, save_dir: folder }: MineNegativesSettings): Promise<Split[]> {
  const splits: Split[] = [];
  for (const from of await filesOf(path)) {
    const to = join(folder, basename(from));
    if (resolve(to) === resolve(from))
      throw new UserError(
        `${from}: the new file would take the place of the questions. Give another folder in --save_dir.`,
      );
    splits.push({ from, to, rows: await readQuestions(from) });
  }
  return splits;
}

function tableOf(splits: readonly Split[], mined: readonly Mined[]): string {
  const rows = splits.map(({ from, rows: { length } }, i) => {
    const counts = mined[i]?.counts;
    return {
      file: basename(from),
      passages: length,
      "hard negatives": counts?.negatives,
      "fewer than asked": counts?.short,
      "copies passed over": counts?.near_duplicates,
      "above the margin": counts?.above_margin,
    };
  });
  return formatTable(rows, Object.keys(rows[0] ?? {}));
}

async function mineAll(
  splits: readonly Split[],
  settings: MineNegativesSettings,
  context: StageContext & { tally: RequestTally | undefined },
): Promise<Mined[]> {
  const documents = await readDocuments(settings.document_path);
  const { tally, ...rest } = context;
  const encoder = await openPassageEncoder(settings.embedding_model, {
    ...rest,
    ...(tally ? { tally } : {}),
    device: settings.device,
    requests: settings,
    keepIn: settings.index_path ?? join(settings.save_dir, VECTORS_FOLDER),
  });
  const retriever = await openDenseRetriever(documents, encoder, { ...context, indexPath: settings.index_path });
  try {
    const mined: Mined[] = [];
    for (const { rows } of splits)
      mined.push(await mineHardNegatives(rows, { ...context, retriever, ...miningOptions(settings) }));
    return mined;
  } finally {
    await retriever.close();
  }
}

/** The vectors of passages and questions over an API; what else the stage does is free. Negatives stand as they are until they are mined. */
async function planMining(settings: MineNegativesSettings, context: PlanContext): Promise<StagePlan> {
  const { dataset_w_q: path, save_dir, document_path, embedding_model: model } = settings;
  const planned = ["", "train_w_q.jsonl", "eval_w_q.jsonl", "test_w_q.jsonl"].map((name) => join(path, name));
  const known = planned.filter((file) => context.planned.has(resolve(file)));
  const splits = await Promise.all(
    (known.length > 0 ? known : await filesOf(path)).map(async (from) => ({
      to: join(save_dir, basename(from)),
      rows: await plannedRows(context, from, readQuestions),
    })),
  );
  const files = new Map(splits.map(({ to, rows }) => [to, rows]));
  if (!isEmbeddingModelName(model)) return { requests: [], files };
  const documents = await plannedRows(context, document_path, readDocuments);
  const texts = [
    documents.map(({ fmt_content }) => fmt_content),
    ...splits.map(({ rows }) =>
      rows.flatMap(({ questions, chat_history }) =>
        questions.map((question) => retrievalQuery({ question, chat_history })),
      ),
    ),
  ];
  return { requests: [await planEmbeddings({ model, prices: await readPrices(settings.prices), texts })], files };
}

const stage: Stage<MineNegativesSettings> = {
  name: "mine-negatives",
  summary: "Give existing questions hard negatives that a base retriever finds in the whole database",
  settings: mineNegativesSettings,
  inputs: ["dataset_w_q", "document_path", "embedding_model"],
  check: ({ index_path }) => checkIndexPath(index_path),
  async run(settings, context) {
    const splits = await readSplits(settings);
    const tally = await openVectorTally("mine-negatives", [settings.embedding_model], settings);
    const mined = await mineAll(splits, settings, { ...context, tally });
    const figures: Record<string, number> = {};
    for (const [i, { to }] of splits.entries()) {
      const { rows, counts } = mined[i] as Mined;
      await writeJsonl(to, rows);
      for (const [name, value] of Object.entries(counts)) figures[name] = (figures[name] ?? 0) + value;
    }
    if (figures.short)
      context.reporter.warn(
        `${figures.short} passages have fewer than ${settings.num_hard_negs_per_doc} hard negatives: too few of the passages retrieved score below ${settings.negative_margin} of the gold passage (--negative_margin).`,
      );
    return {
      outputs: splits.map(({ to }) => to),
      figures,
      ...(tally ? { record: { requests: tally.counts } } : {}),
      summary: [tableOf(splits, mined), ...(tally?.lines() ?? [])].join("\n"),
    };
  },
  plan: planMining,
};

/** Questions → the same questions with hard negatives mined from the whole database. All files are written at the end. */
export const mineNegatives: Stage<MineNegativesSettings> = ownsFolder(stage, ({ save_dir }) => save_dir);
