import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import {
  isParquet,
  ownsFolder,
  type Progress,
  parseShard,
  proxyFetch,
  type Stage,
  type StageContext,
  type StageResult,
  UserError,
  writeJsonl,
  writeRows,
} from "@rag-ft/core";
import {
  type CutOptions,
  describeCounts,
  describeSkipped,
  describeUnread,
  droppedRow,
  type FetchSiteOptions,
  findFiles,
  findRepeated,
  type PassageOptions,
  type RepeatedPassage,
  requirePassages,
} from "@rag-ft/documents";
import { loadTokenizer, resolveModelFolder, type Tokenizer } from "@rag-ft/models";
import { addContexts, planContexts, SKIPPED_CONTEXTS } from "./contextual.js";
import { type CutFiles, cutFiles } from "./cut-files.js";
import { cutShard, requireShardable } from "./cut-shard.js";
import { explain } from "./explain.js";
import { openKeptFiles } from "./open-kept-files.js";
import { type PrepareDocsSettings, prepareDocsSettings } from "./settings.js";
import { turnTaker } from "./turn-taker.js";
import { describeUnknownTokens } from "./unknown-tokens.js";

/** Characters of a passage for each token that it may have; running text has three to five. */
const CHARACTERS_PER_TOKEN = 8;

function passageOptions(settings: PrepareDocsSettings, tokenizer: Tokenizer): PassageOptions & CutOptions {
  return {
    chunkSize: settings.chunk_size,
    chunkOverlap: settings.chunk_overlap_size,
    characters: settings.chunk_characters || settings.chunk_size * CHARACTERS_PER_TOKEN,
    count: (text) => tokenizer.count(text),
    minWords: settings.min_words,
    ...(settings.source_url ? { sourceUrl: settings.source_url } : {}),
  };
}

interface Written {
  outputs: string[];
  cut: CutFiles;
  /** Tokens of the passages that are kept, ascending. */
  sizes: readonly number[];
  sources: number;
  repeated: number;
  dropped: number;
  /** File of those that were dropped. */
  list: string;
  unread: ReadonlyMap<string, number>;
}

function describe(settings: PrepareDocsSettings, written: Written): StageResult {
  const { cut, sizes, sources, repeated, dropped, unread } = written;
  const { counts, short, duplicates, leftOut, pages, reused } = cut;
  const left = describeSkipped(
    { ...counts, short, duplicates, dropped },
    { minWords: settings.min_words, list: written.list },
  );
  const figures = {
    documents: pages,
    sources,
    passages: sizes.length,
    tokens_median: sizes[Math.floor(sizes.length / 2)] ?? 0,
    tokens_max: sizes.at(-1) ?? 0,
    near_duplicates: repeated,
    skipped: left.skipped,
  };
  const parts = describeCounts(leftOut.counts());
  const lines = [
    `${pages} documents, ${sizes.length} passages of ${sources} sources; ` +
      `tokens: median ${figures.tokens_median}, most ${figures.tokens_max}` +
      `${left.text ? `; left out: ${left.text}` : ""}` +
      (repeated > dropped
        ? `; ${repeated} passages are contained in another one, but for a fifth at most: --dedupe leaves them out`
        : ""),
    ...(reused > 0 ? [`reused: ${reused} pages of files that have not changed since the last run`] : []),
    ...(parts ? [`not part of the passages: ${parts} (--explain PAGE shows them)`] : []),
    ...(unread.size > 0 ? [`not read: ${describeUnread(unread)}`] : []),
  ];
  return {
    outputs: written.outputs,
    figures,
    record: {
      left_out: leftOut.counts(),
      files_not_read: Object.fromEntries(unread),
      ...(reused > 0 ? { pages_reused: reused } : {}),
    },
    summary: lines.join("\n"),
  };
}

type FoundFiles = Awaited<ReturnType<typeof findFiles>>["files"];

interface Made {
  cut: CutFiles;
  repeated: readonly RepeatedPassage[];
  kept: CutFiles["passages"];
}

/** The database's name, without an extension. */
const databaseName = ({ save_name }: PrepareDocsSettings): string =>
  save_name.replace(/\.(pkl|pickle|jsonl|parquet)$/i, "");

const writesOf = ({ save_name }: PrepareDocsSettings): "jsonl" | "parquet" =>
  isParquet(save_name) ? "parquet" : "jsonl";

/** The database's file, the list of what was left out of it, and what is kept of each file for the next run. */
function outputNames(settings: PrepareDocsSettings): { output: string; list: string; kept: string } {
  const { save_dir } = settings;
  const name = databaseName(settings);
  // Hidden, so that it is no document of a folder that holds the output.
  return {
    output: join(save_dir, `${name}.${writesOf(settings)}`),
    list: join(save_dir, `${name}.dropped.jsonl`),
    kept: join(save_dir, `.${name}.pages`),
  };
}

async function filesOf(
  settings: PrepareDocsSettings,
  { env, reporter, signal }: StageContext,
): ReturnType<typeof findFiles> {
  if (settings.chunk_overlap_size >= settings.chunk_size) {
    throw new UserError(
      `chunk_overlap_size is ${settings.chunk_overlap_size}; it must be smaller than chunk_size (${settings.chunk_size}).`,
    );
  }
  const { include, exclude } = settings;
  let progress: Progress | undefined;
  const sites: FetchSiteOptions = {
    fetch: proxyFetch(env),
    folder: join(env.RAG_FT_CACHE || join(homedir(), ".cache", "rag-ft"), "sites"),
    signal,
    warn: (message) => reporter.warn(message),
    onPage: (done, all) => {
      progress ??= reporter.start("fetching pages", all);
      progress.update(done);
      if (done < all) return;
      progress.stop();
      progress = undefined;
    },
    ignoreRobots: !settings.robots,
  };
  const found = await findFiles(settings.document_path, { include, exclude, sites }).finally(() => progress?.stop());
  if (found.files.length === 0) {
    throw new UserError("No document is left after include and exclude. Check these globs against document_path.");
  }
  return found;
}

const tokenizerFolder = (
  { tokenizer }: PrepareDocsSettings,
  { env, reporter, signal }: StageContext,
): Promise<string> => resolveModelFolder(tokenizer, { env, reporter, files: "tokenizer", signal });

/**
 * All of a run but its writing.
 *
 * @param readOnly - what is kept of files for the next run is not written either
 */
async function makePassages(
  files: FoundFiles,
  settings: PrepareDocsSettings,
  context: StageContext,
  readOnly = false,
): Promise<Made> {
  const { reporter, signal } = context;
  const folder = await tokenizerFolder(settings, context);
  const tokenizer = await loadTokenizer(folder);
  const options = passageOptions(settings, tokenizer);
  const warn = (message: string): void => reporter.warn(message);
  const keptFiles = await openKeptFiles(outputNames(settings).kept, folder, options, { warn, readOnly });
  const cut = await cutFiles(files, options, { reporter, turn: turnTaker(signal), kept: keptFiles });
  requirePassages(cut.passages.length, files.length);
  const all = cut.passages.map(({ passage }) => passage);
  const unknown = describeUnknownTokens(all, tokenizer, settings.tokenizer);
  if (unknown) reporter.warn(unknown);
  const repeated = await findRepeated(all, signal);
  const dropped = new Set(settings.dedupe ? repeated.map(({ passage }) => passage) : []);
  return { cut, repeated, kept: cut.passages.filter(({ passage }) => !dropped.has(passage)) };
}

const stage: Stage<PrepareDocsSettings> = {
  name: "prepare-docs",
  summary: "Cut documents of many formats into the passages of a document database",
  settings: prepareDocsSettings,
  aliases: { chunk_overlap: "chunk_overlap_size", tokenizer_name: "tokenizer", timeout: "request_timeout" },
  inputs: ["document_path", "tokenizer"],
  isShare: ({ shard }) => shard !== undefined,

  async assume(settings, context) {
    const { files } = await filesOf(settings, context);
    const { kept } = await makePassages(files, settings, context, true);
    return new Map([[outputNames(settings).output, kept.map(({ passage }) => passage)]]);
  },

  async run(settings, context) {
    const { reporter, signal } = context;
    const { files, unread } = await filesOf(settings, context);
    if (settings.explain !== "") {
      const warn = (message: string): void => reporter.warn(message);
      return { outputs: [], summary: await explain(files, settings.explain, { warn, turn: turnTaker(signal) }) };
    }
    const { cut, repeated, kept: all } = await makePassages(files, settings, context);
    if (!settings.contextual) await rm(join(settings.save_dir, SKIPPED_CONTEXTS), { force: true });
    const contextual = settings.contextual ? await addContexts(all, settings, context) : undefined;
    const kept = contextual?.kept ?? all;
    const { output, list } = outputNames(settings);
    await writeRows(
      output,
      kept.map(({ passage }) => passage),
    );
    if (settings.dedupe) await writeJsonl(list, repeated.map(droppedRow));
    else await rm(list, { force: true }); // of an earlier run
    const result = describe(settings, {
      outputs: settings.dedupe ? [output, list] : [output],
      cut,
      sizes: kept.map(({ tokens }) => tokens).sort((a, b) => a - b),
      sources: new Set(kept.map(({ passage }) => passage.metadata.source)).size,
      repeated: repeated.length,
      dropped: cut.passages.length - kept.length,
      list,
      unread,
    });
    if (!contextual) return result;
    return {
      ...result,
      figures: { ...result.figures, ...contextual.counts },
      record: { ...result.record, requests: contextual.tally.counts },
      summary: [result.summary, ...contextual.lines].join("\n"),
    };
  },

  async plan(settings, context) {
    if (!settings.contextual) return { requests: [], files: new Map() };
    const { files } = await filesOf(settings, context);
    const { kept } = await makePassages(files, settings, context, true);
    const { request, passages } = await planContexts(kept, settings);
    return { requests: [request], files: new Map([[outputNames(settings).output, passages]]) };
  },
};

const whole: Stage<PrepareDocsSettings> = ownsFolder(stage, ({ save_dir }) => save_dir);

/** One of several workers on one corpus. Nothing but its part's files is written, so that others may be at theirs. */
async function runPart(settings: PrepareDocsSettings, shard: string, context: StageContext): Promise<StageResult> {
  requireShardable(settings);
  const { files } = await filesOf(settings, context);
  const folder = await tokenizerFolder(settings, context);
  const tokenizer = await loadTokenizer(folder);
  return cutShard(settings, context, {
    ...{ files, tokenizer, tokenizerFolder: folder, options: passageOptions(settings, tokenizer) },
    ...{ shard: parseShard(shard), name: databaseName(settings), writes: writesOf(settings) },
  });
}

/** Documents → passages: reads pages, cuts them where a reader would, writes `documents.jsonl`. */
export const prepareDocs: Stage<PrepareDocsSettings> = {
  ...whole,
  run: (settings, context) =>
    settings.shard === undefined || settings.explain !== ""
      ? whole.run(settings, context)
      : runPart(settings, settings.shard, context),
};
