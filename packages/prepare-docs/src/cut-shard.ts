import { stat } from "node:fs/promises";
import { join } from "node:path";
import {
  doneShard,
  finishShard,
  hashText,
  inShardFolder,
  isInShard,
  SHARDS_FOLDER,
  type Shard,
  type ShardJob,
  type StageContext,
  type StageResult,
  shardPaths,
  shardText,
  UserError,
} from "@rag-ft/core";
import {
  type CutOptions,
  cutEachFile,
  distinctSources,
  filesHash,
  isAddress,
  isLogOf,
  noCounts,
  PagesLog,
  type PassageOptions,
  type PlacedFile,
  type SourceFile,
} from "@rag-ft/documents";
import type { Tokenizer } from "@rag-ft/models";
import { cuttingOf } from "./open-kept-files.js";
import type { PrepareDocsSettings } from "./settings.js";
import { TextSample } from "./text-sample.js";
import { turnTaker } from "./turn-taker.js";
import { describeUnknownTokens } from "./unknown-tokens.js";

/** @throws UserError for what can only be done to all files together. */
export function requireShardable({ contextual, document_path, save_name }: PrepareDocsSettings): void {
  if (/[/\\]/.test(save_name))
    throw new UserError(
      `shard: save_name is ${save_name}, expected a name without a folder. Put the folder into save_dir.`,
    );
  if (contextual)
    throw new UserError(
      "shard: contextual is for whole pages of the merged database, and is not done in parts. Leave one of the two out.",
    );
  const address = document_path.find(isAddress);
  if (address !== undefined)
    throw new UserError(
      `shard: ${address} is a site, which every worker would fetch whole. Save its pages in a folder, or run prepare-docs without shard.`,
    );
}

export interface CutShardOptions {
  shard: Shard;
  /** Of the database, and as what it is written. */
  name: string;
  writes: "jsonl" | "parquet";
  /** All files, of all parts. */
  files: readonly SourceFile[];
  tokenizer: Tokenizer;
  tokenizerFolder: string;
  options: PassageOptions & CutOptions;
}

async function sized(files: readonly SourceFile[]): Promise<{ source: string; size: number }[]> {
  const all: { source: string; size: number }[] = [];
  for (const { path, source } of files) all.push({ source, size: (await stat(path)).size });
  return all;
}

/** Cuts what has not been cut, file after file. */
async function cutRest(
  log: PagesLog,
  own: readonly PlacedFile[],
  { options, tokenizer, shard }: CutShardOptions,
  { settings, signal, reporter }: StageContext & { settings: PrepareDocsSettings },
): Promise<void> {
  const turn = turnTaker(signal);
  const warn = (message: string): void => reporter.warn(message);
  for (const warning of log.warnings) warn(warning);
  const rest = own.slice(log.counts.files);
  const progress = reporter.start(`reading and cutting shard ${shardText(shard)}`, own.length, log.counts.files);
  const sample = new TextSample();
  try {
    let at = 0;
    const files = rest.map(({ file }) => file);
    for await (const event of cutEachFile(files, { turn, warn, cut: options })) {
      const file = rest[at] as PlacedFile;
      if ("page" in event) {
        await log.page(file, event.page);
        for (const { content } of event.page.cuttings) sample.add(content);
      } else {
        await log.end(file, event.end);
        at++;
        progress.update(log.counts.files, `${log.counts.passages} passages`);
      }
    }
  } finally {
    progress.stop();
    await log.close();
  }
  const unknown = describeUnknownTokens(sample.documents(), tokenizer, settings.tokenizer);
  if (unknown) warn(unknown);
}

/** Reads and cuts one part's files into `<save_dir>/shards`, going on where a worker was stopped. */
export async function cutShard(
  settings: PrepareDocsSettings,
  context: StageContext,
  given: CutShardOptions,
): Promise<StageResult> {
  const { shard, name, options } = given;
  const counts = noCounts();
  const distinct = distinctSources(given.files, counts);
  const own = distinct
    .map((file, place): PlacedFile => ({ place, file }))
    .filter(({ place }) => isInShard(shard, place));
  const cutting = await cuttingOf(given.tokenizerFolder, options);
  const { min_words, dedupe, source_url } = settings;
  const { writes } = given;
  const job: ShardJob = {
    ...{ stage: "prepare-docs", name, shard, folder: join(settings.save_dir, SHARDS_FOLDER) },
    settings: { ...cutting, tokenizer: hashText(cutting.tokenizer.join()), min_words, dedupe, source_url, writes },
    inputs: { files: filesHash(await sized(distinct)) },
  };
  const { data, record } = shardPaths(job.folder, name, shard);
  const outputs = [data, record];
  const madeBy = hashText(JSON.stringify(cutting));
  return inShardFolder(job, context, async (folder, signal) => {
    const files = { madeBy, files: own, turn: turnTaker(signal) };
    const done = await doneShard(job);
    if (done !== undefined && (await isLogOf(data, files)))
      return { outputs, figures: done.counts, summary: `shard ${shardText(shard)} is done already: ${data}` };
    const log = await PagesLog.open(folder, data, files);
    const before = log.counts.files;
    await cutRest(log, own, given, { ...context, signal, settings });
    const { lines: rows, ...made } = log.counts;
    await finishShard(job, { made: log.path, rows, counts: { ...made, older: counts.older } });
    return {
      outputs,
      figures: { ...made },
      summary:
        `shard ${shardText(shard)}: ${made.files} of ${distinct.length} files, ${made.pages} pages, ${made.passages} passages: ${data}` +
        (before > 0 ? `\n${before} of these files were cut by an earlier worker` : "") +
        `\nWhen all shards are done: rag-ft merge ${job.folder}`,
    };
  });
}
