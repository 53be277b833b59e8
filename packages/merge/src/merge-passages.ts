import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  type Document,
  readLines,
  type ShardRecord,
  throwIfCancelled,
  writeJsonl,
  writeLines,
  writeRows,
} from "@rag-ft/core";
import {
  type CountedPassage,
  describeCounts,
  describeSkipped,
  droppedRow,
  type MergedCounts,
  mergePages,
  noMerged,
  requirePassages,
} from "@rag-ft/documents";
import { findRepeatedTexts, type RepeatedText } from "@rag-ft/text";
import { z } from "zod";
import type { Merging } from "./merging.js";
import { writeJsonLines } from "./write-json-lines.js";

const settingsSchema = z.object({
  min_words: z.number(),
  dedupe: z.boolean(),
  source_url: z.string(),
  writes: z.enum(["jsonl", "parquet"]),
});

/** Passages before others may work. */
const TURN = 100;

/** What is kept of all passages, with figures of it. */
interface Kept {
  passages: number;
  sources: number;
  sizes: ReadonlyMap<number, number>;
}

/** The middle and the largest of sizes that are counted. */
function middleAndLargest(sizes: ReadonlyMap<number, number>): { tokens_median: number; tokens_max: number } {
  const sorted = [...sizes].sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, number]) => sum + number, 0);
  let before = 0;
  const middle = sorted.find(([, number]) => {
    before += number;
    return before > Math.floor(total / 2);
  });
  return { tokens_median: middle?.[0] ?? 0, tokens_max: sorted.at(-1)?.[0] ?? 0 };
}

async function* textsOf(path: string): AsyncGenerator<string> {
  for await (const line of readLines(path))
    yield (JSON.parse(line.slice(line.indexOf("\t") + 1)) as Document).page_content;
}

/** Writes passages without those that another contains, and the list of those. */
async function writeDistinct(
  all: AsyncIterable<CountedPassage>,
  { output, list, folder, signal }: { output: string; list: string; folder: string; signal: AbortSignal },
): Promise<Kept> {
  const path = join(folder, "passages");
  async function* lines(): AsyncGenerator<string> {
    for await (const { passage, tokens } of all) yield `${tokens}\t${JSON.stringify(passage)}`;
  }
  await writeLines(path, lines());
  const repeated = new Map<number, RepeatedText>();
  const containers = new Map<number, Document>();
  for (const one of await findRepeatedTexts(textsOf(path), { signal })) repeated.set(one.id, one);
  const wanted = new Set([...repeated.values()].map(({ container }) => container));
  const sizes = new Map<number, number>();
  const sources = new Set<string>();
  async function* passages(): AsyncGenerator<string> {
    let id = 0;
    for await (const line of readLines(path)) {
      const tab = line.indexOf("\t");
      const json = line.slice(tab + 1);
      if (!repeated.has(id)) {
        const tokens = Number(line.slice(0, tab));
        const passage = JSON.parse(json) as Document;
        // What contains another is repeated in none.
        if (wanted.has(id)) containers.set(id, passage);
        sizes.set(tokens, (sizes.get(tokens) ?? 0) + 1);
        sources.add(passage.metadata.source);
        yield json;
      }
      id++;
    }
  }
  async function* dropped(): AsyncGenerator<Record<string, unknown>> {
    let id = 0;
    for await (const line of readLines(path)) {
      const one = repeated.get(id++);
      const passage = one && (JSON.parse(line.slice(line.indexOf("\t") + 1)) as Document);
      if (one && passage)
        yield droppedRow({ passage, contained_in: containers.get(one.container) as Document, share: one.share });
    }
  }
  await writeJsonLines(output, passages(), "passages");
  await writeJsonl(list, dropped());
  return { passages: [...sizes.values()].reduce((sum, number) => sum + number, 0), sources: sources.size, sizes };
}

/** Writes all passages as they come. */
async function writeAll(
  all: AsyncIterable<CountedPassage>,
  merged: MergedCounts,
  { output, list }: { output: string; list: string },
): Promise<Kept> {
  async function* passages(): AsyncGenerator<Document> {
    for await (const { passage } of all) yield passage;
  }
  await writeRows(output, passages());
  await rm(list, { force: true }); // of an earlier run
  return merged;
}

const total = (parts: readonly { record: ShardRecord }[], key: string): number =>
  parts.reduce((sum, { record }) => sum + (record.counts[key] ?? 0), 0);

/** The shards of `prepare-docs` as the database that it writes when it reads all files alone, byte for byte. */
export const mergePassages: Merging = async ({ name, parts, settings }, folder, { reporter, signal }) => {
  const { min_words, dedupe, source_url, writes } = settingsSchema.parse(settings);
  const paths = { output: join(folder, `${name}.${writes}`), list: join(folder, `${name}.dropped.jsonl`) };
  const work = join(folder, `.${name}.merging`);
  const files = total(parts, "files");
  requirePassages(total(parts, "passages"), files);
  const merged = noMerged();
  const progress = reporter.start("merging shards", files);
  let steps = 0;
  const all = mergePages(
    {
      ...{ parts: parts.map(({ data }) => data), files, folder: work },
      keys: total(parts, "pages") + total(parts, "passages"),
      ...{ minWords: min_words, ...(source_url === "" ? {} : { sourceUrl: source_url }) },
      onFile: (done) => progress.update(done),
      async turn() {
        if (++steps % TURN === 0) await setImmediate();
        throwIfCancelled(signal);
      },
    },
    merged,
  );
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  let kept: Kept;
  try {
    kept = dedupe ? await writeDistinct(all, { ...paths, folder: work, signal }) : await writeAll(all, merged, paths);
  } finally {
    progress.stop();
    await rm(work, { recursive: true, force: true });
  }
  const left = describeSkipped(
    {
      ...merged,
      unreadable: total(parts, "unreadable"),
      older: parts[0]?.record.counts.older ?? 0,
      dropped: merged.passages - kept.passages,
    },
    { minWords: min_words, list: paths.list },
  );
  const figures = {
    ...{ documents: merged.pages, sources: kept.sources, passages: kept.passages },
    ...middleAndLargest(kept.sizes),
    skipped: left.skipped,
  };
  const notInPassages = describeCounts(merged.leftOut.counts());
  return {
    outputs: dedupe ? [paths.output, paths.list] : [paths.output],
    figures,
    lines: [
      `${paths.output}: ${parts.length} shards, ${figures.documents} documents, ${figures.passages} passages of ${figures.sources} sources; ` +
        `tokens: median ${figures.tokens_median}, most ${figures.tokens_max}${left.text ? `; left out: ${left.text}` : ""}`,
      ...(notInPassages ? [`not part of the passages: ${notInPassages}`] : []),
    ],
  };
};
