import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type Document, type Stage, throwIfCancelled, UserError, writeJsonl } from "@rag-ft/core";
import { loadTokenizer, resolveModelFolder } from "@rag-ft/models";
import { makePassages, type PassagesSoFar } from "./make-passages.js";
import { findFiles } from "./read/find-files.js";
import { readSources } from "./read/read-sources.js";
import { findRepeated, type RepeatedPassage } from "./repeated-passages.js";
import { type PrepareDocsSettings, prepareDocsSettings } from "./settings.js";

/** Pages cut between two looks at whether the run was asked to stop. */
const PAGES_AT_A_TIME = 20;

/** `3 pages without text, 1 file twice`; empty when nothing was left out. */
function describeSkipped(skipped: Record<string, number>): string {
  return Object.entries(skipped)
    .filter(([, number]) => number > 0)
    .map(([what, number]) => `${number} ${what}`)
    .join(", ");
}

/** A line of the list of what was left out. */
function droppedRow({ passage, contained_in, share }: RepeatedPassage): Record<string, unknown> {
  const { source, seq_num } = contained_in.metadata;
  return { page_content: passage.page_content, metadata: passage.metadata, contained_in: { source, seq_num }, share };
}

/** Documents → passages: reads pages, cuts them where a reader would, writes `documents.jsonl`. */
export const prepareDocs: Stage<PrepareDocsSettings> = {
  name: "prepare-docs",
  summary: "Cut JSONL, Markdown and HTML documents into the passages of a document database",
  settings: prepareDocsSettings,
  aliases: { chunk_overlap: "chunk_overlap_size", tokenizer_name: "tokenizer" },
  inputs: ["document_path", "tokenizer"],

  async run(settings, { reporter, signal, env }) {
    if (settings.chunk_overlap_size >= settings.chunk_size) {
      throw new UserError(
        `chunk_overlap_size is ${settings.chunk_overlap_size}; it must be smaller than chunk_size (${settings.chunk_size}).`,
      );
    }
    const files = await findFiles(settings.document_path, settings);
    if (files.length === 0) {
      throw new UserError("No document is left after include and exclude. Check these globs against document_path.");
    }
    const folder = await resolveModelFolder(settings.tokenizer, { env, reporter, files: "tokenizer", signal });
    const tokenizer = await loadTokenizer(folder);

    const reading = reporter.start("reading", files.length);
    const { documents, empty, identical, older } = await readSources(files, (done) => {
      throwIfCancelled(signal);
      reading.update(done);
    }).finally(() => reading.stop());

    const cut: Document[] = [];
    const soFar: PassagesSoFar = { seen: new Set(), numbers: new Map() };
    let short = 0;
    let duplicates = 0;
    const cutting = reporter.start("cutting", documents.length);
    try {
      for (const [i, document] of documents.entries()) {
        if (i % PAGES_AT_A_TIME === 0) {
          await setImmediate();
          throwIfCancelled(signal);
          cutting.update(i, `${cut.length} passages`);
        }
        const made = makePassages(
          document,
          {
            chunkSize: settings.chunk_size,
            chunkOverlap: settings.chunk_overlap_size,
            count: (text) => tokenizer.count(text),
            minWords: settings.min_words,
          },
          soFar,
        );
        for (const passage of made.passages) cut.push(passage);
        short += made.short;
        duplicates += made.duplicates;
      }
      cutting.update(documents.length, `${cut.length} passages`);
    } finally {
      cutting.stop();
    }
    if (cut.length === 0) {
      throw new UserError(`No passage was made of ${files.length} files: they hold no text of min_words or more.`);
    }

    const repeated = await findRepeated(cut, signal);
    const dropped = new Set(settings.dedupe ? repeated.map(({ passage }) => passage) : []);
    const passages = cut.filter((passage) => !dropped.has(passage));
    const name = settings.save_name.replace(/\.(pkl|pickle|jsonl)$/i, "");
    const output = join(settings.save_dir, `${name}.jsonl`);
    const list = join(settings.save_dir, `${name}.dropped.jsonl`);
    await writeJsonl(output, passages);
    if (settings.dedupe) await writeJsonl(list, repeated.map(droppedRow));
    else await rm(list, { force: true }); // of an earlier run

    const sizes = passages.map((passage) => tokenizer.count(passage.page_content)).sort((a, b) => a - b);
    const sources = new Set(passages.map((passage) => passage.metadata.source)).size;
    const figures = {
      documents: documents.length,
      sources,
      passages: passages.length,
      tokens_median: sizes[Math.floor(sizes.length / 2)] ?? 0,
      tokens_max: sizes.at(-1) ?? 0,
      near_duplicates: repeated.length,
      skipped: empty + identical + older + short + duplicates + dropped.size,
    };
    const skipped = describeSkipped({
      "pages without text": empty,
      "files with the text of another": identical,
      "files of an older version of a package": older,
      [`passages of fewer than ${settings.min_words} words`]: short,
      "passages twice": duplicates,
      [`passages that another contains (${list})`]: dropped.size,
    });
    return {
      outputs: settings.dedupe ? [output, list] : [output],
      figures,
      summary:
        `${documents.length} documents, ${passages.length} passages of ${sources} sources; ` +
        `tokens: median ${figures.tokens_median}, most ${figures.tokens_max}` +
        `${skipped ? `; left out: ${skipped}` : ""}` +
        (repeated.length > dropped.size
          ? `; ${repeated.length} passages are contained in another one, but for a fifth at most: --dedupe leaves them out`
          : ""),
    };
  },
};
