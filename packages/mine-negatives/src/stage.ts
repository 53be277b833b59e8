import { rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  doneShard,
  finishShard,
  formatTable,
  hashFile,
  hashText,
  inShardFolder,
  isParquet,
  ownsFolder,
  type PlanContext,
  parseShard,
  partOf,
  plannedRows,
  type QuestionsRow,
  questionCount,
  questionFilesIn,
  questionsPathKind,
  readDocuments,
  readQuestions,
  retrievalQuery,
  SHARDS_FOLDER,
  type ShardJob,
  type Stage,
  type StageContext,
  type StagePlan,
  type StageResult,
  shardPaths,
  UserError,
  writeJsonl,
  writeRows,
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
  type PassageEncoder,
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

type MiningContext = StageContext & { tally: RequestTally | undefined; store: NamedStore | undefined };

function openMiningEncoder(
  settings: MineNegativesSettings,
  { store: _, tally, ...context }: MiningContext,
): Promise<PassageEncoder> {
  return openPassageEncoder(settings.embedding_model, {
    ...context,
    ...(tally ? { tally } : {}),
    device: settings.device,
    precision: settings.precision,
    requests: settings,
    keepIn: settings.index_path ?? join(settings.save_dir, VECTORS_FOLDER),
  });
}

async function mineAll(
  splits: readonly Split[],
  settings: MineNegativesSettings,
  openEncoder: () => Promise<PassageEncoder>,
  { store, ...context }: MiningContext,
): Promise<Mined[]> {
  const documents = await readDocuments(settings.document_path);
  const encoder = await openEncoder();
  const retriever = await openDenseRetriever(documents, encoder, {
    ...context,
    indexPath: settings.index_path,
    questions: questionCount(splits.flatMap(({ rows }) => rows)),
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
    await writeRows(to, rows);
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
  isShare: ({ shard }) => shard !== undefined,
  check: ({ index_path }) => checkIndexPath(index_path),
  async run(settings, context) {
    const splits = await readSplits(settings);
    const store = await requireStore(settings, context.env);
    // Before the database is embedded, so that a wrong name or a missing key shows first.
    const judging = await openJudge(settings, context);
    try {
      const tally = judging?.tally ?? (await openVectorTally("mine-negatives", [settings.embedding_model], settings));
      const mining = { ...context, tally, store };
      const mined = await mineAll(splits, settings, () => openMiningEncoder(settings, mining), mining);
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

const whole: Stage<MineNegativesSettings> = ownsFolder(stage, ({ save_dir }) => save_dir);

const nameOf = ({ to }: Split): string => basename(to).replace(/\.(jsonl|parquet)$/i, "");

/** One of several workers, each of which mines for its share of the rows: a row's negatives do not depend on the others. */
async function runPart(settings: MineNegativesSettings, text: string, context: StageContext): Promise<StageResult> {
  if (settings.relabel_with !== undefined)
    throw new UserError(
      "shard: relabel_with compares what it finds with the questions of all rows, and is not done in parts. Leave one of the two out.",
    );
  const shard = parseShard(text);
  const folder = join(settings.save_dir, SHARDS_FOLDER);
  return inShardFolder({ folder, name: "mine-negatives", shard }, context, async (work, signal) => {
    const splits = (await readSplits(settings)).map((split) => ({ ...split, rows: partOf(shard, split.rows) }));
    const store = await requireStore(settings, context.env);
    const tally = await openVectorTally("mine-negatives", [settings.embedding_model], settings);
    const mining = { ...context, signal, tally, store };
    const encoder = await openMiningEncoder(settings, mining);
    const { num_hard_negs_per_doc, negative_margin, negative_pool, seed, vector_store } = settings;
    const counted = { num_hard_negs_per_doc, negative_margin, negative_pool, seed, vector_store };
    const database = await hashFile(settings.document_path);
    const jobs: (ShardJob & { split: Split })[] = [];
    for (const split of splits) {
      jobs.push({
        ...{ stage: "mine-negatives", name: nameOf(split), shard, folder, split },
        settings: {
          ...counted,
          encoder: hashText(encoder.fingerprint),
          writes: isParquet(split.to) ? "parquet" : "jsonl",
        },
        inputs: { questions: await hashFile(split.from), database },
      });
    }
    const todo: typeof jobs = [];
    for (const job of jobs) if ((await doneShard(job)) === undefined) todo.push(job);
    const outputs = jobs.flatMap(({ name }) => {
      const { data, record } = shardPaths(folder, name, shard);
      return [data, record];
    });
    if (todo.length === 0) {
      await encoder.close();
      return { outputs, summary: `shard ${text} is done already: ${jobs.map(({ name }) => name).join(", ")}` };
    }
    const own = todo.map(({ split }) => split);
    const mined = await mineAll(own, settings, async () => encoder, mining);
    for (const [i, job] of todo.entries()) {
      const { rows, counts } = mined[i] as Mined;
      const made = join(work, `${job.name}.jsonl`);
      await writeJsonl(made, rows);
      await finishShard(job, { made, rows: rows.length, counts: { ...counts } });
    }
    return {
      outputs,
      ...(tally ? { record: { requests: tally.counts } } : {}),
      summary: [
        tableOf(own, mined),
        `shard ${text}; when all are done: rag-ft merge ${folder}`,
        ...(tally?.lines() ?? []),
      ].join("\n"),
    };
  });
}

/** Questions → the same questions with hard negatives mined from the whole database. All files are written at the end. */
export const mineNegatives: Stage<MineNegativesSettings> = {
  ...whole,
  run: (settings, context) =>
    settings.shard === undefined ? whole.run(settings, context) : runPart(settings, settings.shard, context),
};
