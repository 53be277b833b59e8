import { dirname } from "node:path";
import {
  formatTable,
  ownsFolder,
  type PlanContext,
  plannedRows,
  readDocuments,
  requireWritable,
  retrievalQuery,
  type Stage,
  type StageContext,
  type StagePlan,
  UserError,
} from "@rag-ft/core";
import { isEmbeddingModelName, openVectorTally, planEmbeddings, readPrices } from "@rag-ft/llm";
import { checkIndexPath } from "@rag-ft/retrieval";
import { candidatesOf, checkCandidates, searchEncoder } from "./candidates.js";
import { openGeneratorTeacher, requireAnswers } from "./generator-teacher.js";
import { readTeacherQuestions } from "./read-questions.js";
import { openRerankerTeacher } from "./reranker-teacher.js";
import { type Scored, scoreAll } from "./score-all.js";
import { type ScorePassagesSettings, scorePassagesSettings } from "./settings.js";
import type { OpenedTeacher } from "./teacher.js";

/** @throws UserError unless one model that scores is named. */
function checkTeacher({ reranker, qa_model_name_or_path: generator }: ScorePassagesSettings): void {
  if ((reranker === undefined) === (generator === undefined))
    throw new UserError(
      `expected one model that scores, ${reranker === undefined ? "none is" : "two are"} named: give --reranker or --qa_model_name_or_path.`,
    );
}

function openTeacher(settings: ScorePassagesSettings, context: StageContext): Promise<OpenedTeacher> {
  const { reranker, qa_model_name_or_path: generator = "" } = settings;
  return reranker === undefined
    ? openGeneratorTeacher(generator, settings, context)
    : openRerankerTeacher(reranker, settings, context);
}

function figuresOf({ rows, kept }: Scored): Record<string, number> {
  const best = rows.filter(({ passages }) => passages.every(({ score }) => score <= (passages[0]?.score ?? 0))).length;
  return {
    questions: rows.length,
    passages: rows.reduce((sum, { passages }) => sum + passages.length, 0),
    kept,
    gold_is_best: best / rows.length,
  };
}

/** The vectors of passages and questions where they are bought over an API; the rest is free. The scores are no rows that another stage plans by. */
async function planScores(settings: ScorePassagesSettings, context: PlanContext): Promise<StagePlan> {
  const files = new Map<string, readonly unknown[]>();
  const model = searchEncoder(settings);
  if (model === undefined || !isEmbeddingModelName(model)) return { requests: [], files };
  const questions = await readTeacherQuestions(settings.question_files, context.reporter, context);
  const documents = await plannedRows(context, settings.document_path, readDocuments);
  const texts = [documents.map(({ fmt_content }) => fmt_content), questions.map(retrievalQuery)];
  return { requests: [await planEmbeddings({ model, prices: await readPrices(settings.prices), texts })], files };
}

const stage: Stage<ScorePassagesSettings> = {
  name: "score-passages",
  summary:
    "Score passages of questions by a reranker or a generator, for the retriever to learn from (train-retriever --distil_from)",
  settings: scorePassagesSettings,
  aliases: {
    train_file: "question_files",
    full_dataset_file_path: "document_path",
    embedding_model_name_or_path: "embedding_model",
    model_path: "embedding_model",
    lm_model_path: "qa_model_name_or_path",
    text_maxlength: "max_seq_length",
  },
  inputs: [
    "question_files",
    "document_path",
    "reranker",
    "qa_model_name_or_path",
    "embedding_model",
    "retrieval_choice_of",
  ],
  async check({ index_path, output_file }) {
    await checkIndexPath(index_path);
    await requireWritable(dirname(output_file), "--output_file");
  },
  async run(settings, context) {
    const { output_file: output, question_files, document_path } = settings;
    checkTeacher(settings);
    checkCandidates(settings);
    const questions = await readTeacherQuestions(question_files, context.reporter);
    if (settings.reranker === undefined) requireAnswers(questions, question_files);
    const documents = await readDocuments(document_path);
    const tally = await openVectorTally("score-passages", [searchEncoder(settings) ?? ""], settings);
    const opened = await openTeacher(settings, context);
    try {
      const passages = await candidatesOf(questions, documents, settings, { ...context, tally });
      const scored = await scoreAll(questions, passages, opened, output, context);
      const figures = figuresOf(scored);
      const { gold_is_best: share = 0, ...counts } = figures;
      const row = { scored_by: opened.teacher.model, ...counts, "gold is best": `${(100 * share).toFixed(1)} %` };
      return {
        outputs: [output],
        figures,
        record: { scored_by: opened.teacher, ...(tally ? { requests: tally.counts } : {}) },
        summary: [
          formatTable([row], Object.keys(row)),
          ...(tally?.lines() ?? []),
          `Train on them: rag-ft train-retriever --distil_from ${output} …`,
        ].join("\n"),
      };
    } finally {
      await opened.close();
    }
  },
  plan: planScores,
};

/** Questions → scores of their passages by a model that reads both together. What was made is kept when the stage is stopped. */
export const scorePassages: Stage<ScorePassagesSettings> = ownsFolder(stage, ({ output_file }) => dirname(output_file));
