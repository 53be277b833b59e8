import { basename, join, resolve } from "node:path";
import {
  formatTable,
  ownsFolder,
  type QuestionsRow,
  questionFilesIn,
  questionsPathKind,
  readDocuments,
  readQuestions,
  type Stage,
  type StageContext,
  UserError,
  writeJsonl,
} from "@rag-ft/core";
import {
  checkIndexPath,
  type Mined,
  mineHardNegatives,
  miningOptions,
  openDenseRetriever,
  openPassageEncoder,
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
  context: StageContext,
): Promise<Mined[]> {
  const documents = await readDocuments(settings.document_path);
  const encoder = await openPassageEncoder(settings.embedding_model, { ...context, device: settings.device });
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

const stage: Stage<MineNegativesSettings> = {
  name: "mine-negatives",
  summary: "Give existing questions hard negatives that a base retriever finds in the whole database",
  settings: mineNegativesSettings,
  inputs: ["dataset_w_q", "document_path", "embedding_model"],
  check: ({ index_path }) => checkIndexPath(index_path),
  async run(settings, context) {
    const splits = await readSplits(settings);
    const mined = await mineAll(splits, settings, context);
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
    return { outputs: splits.map(({ to }) => to), figures, summary: tableOf(splits, mined) };
  },
};

/** Questions → the same questions with hard negatives mined from the whole database. All files are written at the end. */
export const mineNegatives: Stage<MineNegativesSettings> = ownsFolder(stage, ({ save_dir }) => save_dir);
