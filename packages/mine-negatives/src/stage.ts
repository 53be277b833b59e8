import { rm } from "node:fs/promises";
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
  type StageResult,
  UserError,
  writeJsonl,
} from "@rag-ft/core";
import { isEmbeddingModelName, openVectorTally, planEmbeddings, type RequestTally, readPrices } from "@rag-ft/llm";
import {
  checkIndexPath,
  type Mined,
  mineHardNegatives,
  miningOptions,
  type NamedStore,
  openDenseRetriever,
  openPassageEncoder,
  requireStore,
  VECTORS_FOLDER,
} from "@rag-ft/retrieval";
import { openJudge, planVerdicts } from "./open-judge.js";
import { type RelabelCounts, type Relabeled, type RelevanceJudge, relabelNegatives } from "./relabel.js";
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

/** What was mined of a file, and what became of it when it was looked at again. */
type Made = Mined & { relabel?: RelabelCounts };

function tableOf(splits: readonly Split[], mined: readonly Made[]): string {
  const rows = splits.map(({ from, rows: { length } }, i) => {
    const counts = mined[i]?.counts;
    const relabel = mined[i]?.relabel;
    return {
      file: basename(from),
      passages: length,
      "hard negatives": counts?.negatives,
      "fewer than asked": counts?.short,
      "copies passed over": counts?.near_duplicates,
      "above the margin": counts?.above_margin,
      ...(relabel
        ? {
            "looked at again": relabel.judged,
            "false negatives": relabel.false_negatives,
            "new positives": relabel.new_positives,
            "rows changed": relabel.rows_changed,
          }
        : {}),
    };
  });
  return formatTable(rows, Object.keys(rows[0] ?? {}));
}

async function mineAll(
  splits: readonly Split[],
  settings: MineNegativesSettings,
  { store, ...context }: StageContext & { tally: RequestTally | undefined; store: NamedStore | undefined },
): Promise<Mined[]> {
  const documents = await readDocuments(settings.document_path);
  const { tally, ...rest } = context;
  const encoder = await openPassageEncoder(settings.embedding_model, {
    ...rest,
    ...(tally ? { tally } : {}),
    device: settings.device,
    precision: settings.precision,
    requests: settings,
    keepIn: settings.index_path ?? join(settings.save_dir, VECTORS_FOLDER),
  });
  const retriever = await openDenseRetriever(documents, encoder, {
    ...context,
    indexPath: settings.index_path,
    ...(store ? { store } : {}),
  });
  try {
    const mined: Mined[] = [];
    // Others stand ready for those that turn out to be none.
    const more =
      settings.relabel_with === undefined
        ? {}
        : { count: Math.max(settings.negative_pool, settings.num_hard_negs_per_doc) };
    for (const { rows } of splits)
      mined.push(await mineHardNegatives(rows, { ...context, retriever, ...miningOptions(settings), ...more }));
    return mined;
  } finally {
    await retriever.close();
  }
}

/** The audit of a relabelling, in save_dir. */
const AUDIT = "relabeled.jsonl";

/** Whether a file's rows are trained on: only there may a question be asked of a further passage. */
const isTraining = (file: string): boolean => /^train/i.test(basename(file));

/** Every file's negatives, looked at by a judge. */
async function relabelAll(
  splits: readonly Split[],
  mined: readonly Mined[],
  judge: RelevanceJudge,
  settings: MineNegativesSettings,
  { reporter, signal }: StageContext,
): Promise<{ made: Made[]; audit: Relabeled[] }> {
  const made: Made[] = [];
  const audit: Relabeled[] = [];
  for (const [i, { from }] of splits.entries()) {
    const { rows, counts } = mined[i] as Mined;
    const options = { file: basename(from), count: settings.num_hard_negs_per_doc, addsPositives: isTraining(from) };
    const done = await relabelNegatives(rows, judge, { ...options, reporter, signal });
    const negatives = done.rows.reduce((sum, row) => sum + row.hard_neg_docs.length, 0);
    made.push({ rows: done.rows, counts: { ...counts, negatives, short: done.counts.short }, relabel: done.counts });
    audit.push(...done.audit);
  }
  return { made, audit };
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
  const verdicts = await planVerdicts(settings, splits);
  if (!isEmbeddingModelName(model)) return { requests: verdicts, files };
  const documents = await plannedRows(context, document_path, readDocuments);
  const texts = [
    documents.map(({ fmt_content }) => fmt_content),
    ...splits.map(({ rows }) =>
      rows.flatMap(({ questions, chat_history }) =>
        questions.map((question) => retrievalQuery({ question, chat_history })),
      ),
    ),
  ];
  const vectors = await planEmbeddings({ model, prices: await readPrices(settings.prices), texts });
  return { requests: [vectors, ...verdicts], files };
}

async function writeResult(
  splits: readonly Split[],
  made: readonly Made[],
  settings: MineNegativesSettings,
  more: { context: StageContext; tally: RequestTally | undefined; audit: Relabeled[] | undefined; lines: string[] },
): Promise<StageResult> {
  const { context, tally, audit, lines } = more;
  const figures: Record<string, number> = {};
  const outputs = splits.map(({ to }) => to);
  for (const [i, { to }] of splits.entries()) {
    const { rows, counts, relabel } = made[i] as Made;
    await writeJsonl(to, rows);
    for (const [name, value] of Object.entries({ ...relabel, ...counts })) figures[name] = (figures[name] ?? 0) + value;
  }
  if (audit) {
    outputs.push(join(settings.save_dir, AUDIT));
    await writeJsonl(join(settings.save_dir, AUDIT), audit);
  } else await rm(join(settings.save_dir, AUDIT), { force: true });
  if (figures.short)
    context.reporter.warn(
      `${figures.short} passages have fewer than ${settings.num_hard_negs_per_doc} hard negatives: too few of the passages retrieved score below ${settings.negative_margin} of the gold passage (--negative_margin)${audit ? ", or too many of them answer the question" : ""}.`,
    );
  const changed = audit
    ? `${figures.false_negatives} of ${figures.judged} negatives that were looked at again are none; ${figures.new_positives} rows were added to files of training: ${join(settings.save_dir, AUDIT)}`
    : undefined;
  return {
    outputs,
    figures,
    ...(tally ? { record: { requests: tally.counts } } : {}),
    summary: [tableOf(splits, made), ...(changed ? [changed] : []), ...lines, ...(tally?.lines() ?? [])].join("\n"),
  };
}

const stage: Stage<MineNegativesSettings> = {
  name: "mine-negatives",
  summary: "Give existing questions hard negatives that a base retriever finds in the whole database",
  settings: mineNegativesSettings,
  inputs: ["dataset_w_q", "document_path", "embedding_model", "relabel_with", "config"],
  aliases: { timeout: "request_timeout" },
  check: ({ index_path }) => checkIndexPath(index_path),
  async run(settings, context) {
    const splits = await readSplits(settings);
    const store = await requireStore(settings, context.env);
    // Before the database is embedded, so that a wrong name or a missing key shows first.
    const judging = await openJudge(settings, context);
    try {
      const tally = judging?.tally ?? (await openVectorTally("mine-negatives", [settings.embedding_model], settings));
      const mined = await mineAll(splits, settings, { ...context, tally, store });
      const relabeled = judging && (await relabelAll(splits, mined, judging.judge, settings, context));
      return await writeResult(splits, relabeled?.made ?? mined, settings, {
        ...{ context, tally, audit: relabeled?.audit },
        lines: (await judging?.lines()) ?? [],
      });
    } finally {
      await judging?.close();
    }
  },
  plan: planMining,
};

/** Questions → the same questions with hard negatives mined from the whole database. All files are written at the end. */
export const mineNegatives: Stage<MineNegativesSettings> = ownsFolder(stage, ({ save_dir }) => save_dir);
