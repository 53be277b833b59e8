import { join } from "node:path";
import {
  DataError,
  type Document,
  pathKind,
  type QuestionsRow,
  type Reporter,
  streamJsonl,
  writeChunksAtomic,
  writeJsonl,
} from "@rag-ft/core";
import { BEIR_FILES, type Qrels, readQrels } from "@rag-ft/retrieval";
import { z } from "zod";

/** The files of judgements and what their questions are for here. */
const SPLITS = { train: "train", dev: "eval", test: "test" } as const;

const id = z.union([z.string().min(1), z.number()]).transform(String);
const corpusRow = z.looseObject({
  _id: id,
  title: z.string().nullish(),
  text: z.string(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});
const queryRow = z.looseObject({ _id: id, text: z.string() });

/** A passage whose source is its id; models see its title and its text, as BEIR's own systems do. */
function passageOf({ _id, title, text, metadata }: z.infer<typeof corpusRow>): Document {
  const named = title?.trim() ? { title } : {};
  return {
    page_content: text,
    fmt_content: `${title ?? ""} ${text}`.trim(),
    metadata: { ...metadata, source: _id, ...named, id: _id },
  };
}

async function readJudgements(folder: string): Promise<Map<string, Qrels>> {
  const found = new Map<string, Qrels>();
  for (const [file, split] of Object.entries(SPLITS)) {
    const path = join(folder, "qrels", `${file}.tsv`);
    if ((await pathKind(path)) === "file") found.set(split, await readQrels(path));
  }
  if (found.size > 0) return found;
  throw new DataError(
    `${join(folder, "qrels")}: no train.tsv, dev.tsv or test.tsv there. Expected a BEIR folder: corpus.jsonl, queries.jsonl and qrels/test.tsv.`,
  );
}

/** What a corpus left. */
interface Corpus {
  passages: number;
  /** Without a text, which nothing can find. */
  empty: number;
  /** Those that are judged. */
  judged: Map<string, Document>;
}

/** Writes the corpus as a database while it is read; of its passages only those that are judged are kept in memory. */
async function writeCorpus(path: string, target: string, qrels: Iterable<Qrels>): Promise<Corpus> {
  const wanted = new Set([...qrels].flatMap((one) => [...one.values()].flatMap((judged) => [...judged.keys()])));
  const corpus: Corpus = { passages: 0, empty: 0, judged: new Map() };
  const seen = new Set<string>();
  async function* lines(): AsyncGenerator<string> {
    for await (const { line, row } of streamJsonl(path, corpusRow, { what: "passages of BEIR (_id, title, text)" })) {
      if (seen.has(row._id)) throw new DataError(`${path}:${line}: the id ${row._id} stands twice.`);
      seen.add(row._id);
      const passage = passageOf(row);
      if (passage.fmt_content === "") {
        corpus.empty++;
        continue;
      }
      corpus.passages++;
      if (wanted.has(row._id)) corpus.judged.set(row._id, passage);
      yield `${JSON.stringify(passage)}\n`;
    }
  }
  await writeChunksAtomic(target, lines());
  return corpus;
}

/** A row of each question that has a gold passage; what was judged and is not relevant is a hard negative. */
function rowsOf(
  qrels: Qrels,
  texts: ReadonlyMap<string, string>,
  { judged }: Corpus,
): { rows: QuestionsRow[]; lost: number } {
  const rows: QuestionsRow[] = [];
  let lost = 0;
  for (const [query, grades] of qrels) {
    const text = texts.get(query)?.trim();
    const known = [...grades].flatMap(([name, grade]) => {
      const passage = judged.get(name);
      return passage ? [{ passage, grade }] : [];
    });
    const gold = known.filter(({ grade }) => grade > 0).sort((a, b) => b.grade - a.grade);
    if (!text || gold.length === 0) {
      lost++;
      continue;
    }
    rows.push({
      gold_docs: gold.map(({ passage }) => passage),
      gold_relevance: gold.map(({ grade }) => grade),
      hard_neg_docs: known.filter(({ grade }) => grade <= 0).map(({ passage }) => passage),
      chat_history: [],
      questions: [text],
      query_id: query,
    });
  }
  return { rows, lost };
}

/**
 * A BEIR folder as a database and files of questions. Grades become `gold_relevance`, best first; questions without a text or a gold passage are left out, which a
 * warning counts.
 *
 * @throws DataError for files that are not BEIR's, with place and line.
 */
export async function readBeir(folder: string, target: string, { info, warn }: Reporter): Promise<string[]> {
  const qrels = await readJudgements(folder);
  const queries = join(folder, BEIR_FILES.queries);
  const texts = new Map<string, string>();
  for await (const { line, row } of streamJsonl(queries, queryRow, { what: "questions of BEIR (_id, text)" })) {
    // Which of two texts the judgements are of, nobody knows.
    if (texts.has(row._id))
      throw new DataError(`${queries}:${line}: the id ${row._id} stands twice. Keep one of them.`);
    texts.set(row._id, row.text);
  }
  const documents = join(target, "documents.jsonl");
  const corpus = await writeCorpus(join(folder, BEIR_FILES.corpus), documents, qrels.values());
  if (corpus.empty > 0) warn(`${folder}: ${corpus.empty} passages have neither title nor text and are left out`);
  info(`${documents}: ${corpus.passages} passages`);
  const outputs = [documents];
  for (const [split, judged] of qrels) {
    const { rows, lost } = rowsOf(judged, texts, corpus);
    if (rows.length === 0)
      throw new DataError(
        `${folder}: no question of ${split} has both a text and a gold passage: are ids of other files?`,
      );
    if (lost > 0)
      warn(
        `${folder}: ${lost} of ${judged.size} questions of ${split} have no text or no gold passage and are left out`,
      );
    const path = join(target, `${split}_w_q.jsonl`);
    await writeJsonl(path, rows);
    info(
      `${path}: ${rows.length} questions, ${rows.reduce((sum, { gold_docs }) => sum + gold_docs.length, 0)} gold passages`,
    );
    outputs.push(path);
  }
  return outputs;
}
