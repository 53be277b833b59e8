import { rm } from "node:fs/promises";
import { basename, resolve } from "node:path";
import {
  type CompactQaRow,
  documentId,
  findCitations,
  notInPassageFile,
  ownsFolder,
  type QaRow,
  type QuestionsRow,
  readQuestions,
  type Stage,
  type StageContext,
  UserError,
  writeJsonl,
} from "@rag-ft/core";
import { EXTRACTIVE, openForeignLanguage, openStoredModel, readDomainConfig, writeSkipped } from "@rag-ft/llm";
import { answerAll } from "./answer-all.js";
import { type Answerer, extractiveAnswerer, languageOfPassages, modelAnswerer } from "./answerer.js";
import { findSplits, plannedSplits, type Split } from "./find-splits.js";
import { flattenQuestions } from "./flatten-questions.js";
import { type AnswerWork, planAnswers, storeFolder } from "./plan-answers.js";
import { type GenAnswersSettings, genAnswersSettings } from "./settings.js";

/** The compact twin: question, answer, ids of the gold passages, and where it comes from. */
function compactRow({
  gold_docs,
  hard_neg_docs: _,
  chat_history: __,
  question,
  gold_answer,
  ...more
}: QaRow): CompactQaRow {
  return { question, answer: gold_answer, gold_doc_ids: gold_docs.map(documentId), ...more };
}

async function answerSplit(
  { split, questions }: AnswerWork,
  answerer: Answerer,
  context: StageContext,
): Promise<{ answered: number; apart: number; cited: number }> {
  const all = await answerAll(questions, answerer, context, `answers: ${basename(split.questions)}`);
  const rows: QaRow[] = [];
  const apart: QaRow[] = [];
  for (const row of all) (answerer.saysNotInPassage(row.gold_answer) ? apart : rows).push(row);
  const lines = answerer.failures.lines();
  if (rows.length === 0)
    throw new UserError(
      `${split.questions}: none of ${questions.length} questions got an answer${apart.length > 0 ? ` (of ${apart.length}, the model says that the passage holds none)` : ""}.${lines.map((line) => `\n  ${line}`).join("")}\nEarlier output is untouched.`,
    );
  await writeJsonl(split.full, rows);
  await writeJsonl(split.compact, rows.map(compactRow));
  // An earlier run's file would speak of other questions.
  if (apart.length === 0) await rm(apartFile(split), { force: true });
  else await writeJsonl(apartFile(split), apart);
  const cited = rows.filter(({ gold_answer }) => findCitations(gold_answer).length > 0).length;
  return { answered: rows.length, apart: apart.length, cited };
}

/** Questions that their passages do not answer, as the model says: same format, beside the answers. */
const apartFile = ({ full }: Split): string => notInPassageFile(full);

async function readWork(settings: GenAnswersSettings): Promise<AnswerWork[]> {
  const work: AnswerWork[] = [];
  for (const split of await findSplits(settings)) {
    const questions = flattenQuestions(await readQuestions(split.questions), settings);
    if (questions.length === 0)
      throw new UserError(`${split.questions}: no question is left after start_data_idx and end_data_idx.`);
    work.push({ split, questions });
  }
  return work;
}

const stage: Stage<GenAnswersSettings> = {
  name: "gen-answers",
  summary: "Have a model (or rules) answer the questions from their gold passages",
  settings: genAnswersSettings,
  aliases: { timeout: "request_timeout" },
  inputs: ["dataset_w_q", "config"],
  async run(settings, context) {
    // All files are read before the first answer is paid for.
    const work = await readWork(settings);
    const outputs = work.flatMap(({ split }) => [split.full, split.compact]);
    const figures: Record<string, number> = {};
    const answerEach = async (answerer: Answerer): Promise<string[]> => {
      let asked = 0;
      let answered = 0;
      let apart = 0;
      let cited = 0;
      for (const item of work) {
        asked += item.questions.length;
        const done = await answerSplit(item, answerer, context);
        answered += done.answered;
        apart += done.apart;
        cited += done.cited;
        if (done.apart > 0) outputs.push(apartFile(item.split));
      }
      figures.questions = asked;
      figures.answered = answered;
      figures.not_in_passage = apart;
      if (settings.citations) figures.cited = cited;
      const failed = asked - answered - apart;
      figures.failed = failed;
      const lines = answerer.failures.lines();
      if (lines.length > 0) context.reporter.warn(`${failed} of ${asked} questions have no answer and are left out.`);
      return [
        `${answered} of ${asked} questions answered.`,
        ...(apart > 0 ? [`${apart} are not answered by their passages, as the model says, and are set apart.`] : []),
        ...(settings.citations && cited < answered
          ? [`${answered - cited} of ${answered} answers have no citation, and are kept.`]
          : []),
        ...lines.map((line) => `  ${line}`),
        ...(await writeSkipped(storeFolder(work), "skipped_questions.jsonl", answerer.failures)),
      ];
    };
    const domain = await readDomainConfig(settings.config);
    const languageOf = await openForeignLanguage(domain);
    const foreign = work
      .flatMap(({ questions }) => questions)
      .filter((open) => languageOfPassages(open, languageOf) !== undefined).length;
    if (settings.prompt_model === EXTRACTIVE) {
      const summary = await answerEach(extractiveAnswerer(languageOf, settings));
      summary.push("Answers by rules (extractive), not by a model: for trying things, not for figures to publish.");
      return { outputs, figures, summary: summary.join("\n") };
    }
    const model = await openStoredModel(settings.prompt_model, {
      ...context,
      device: settings.device,
      settings,
      purpose: "gen-answers",
      folder: storeFolder(work),
    });
    try {
      const { tally } = model;
      const summary = await answerEach(
        modelAnswerer(model, domain, settings, languageOf, model.concurrency, context.signal),
      );
      figures.requests_sent = tally.counts.requests_sent;
      figures.requests_from_store = tally.counts.requests_from_store;
      if (foreign > 0)
        summary.push(
          `${foreign} questions are on passages that are not in English: answers were asked for in their language. What models put before an answer, and say in place of ${JSON.stringify(domain.answer_prompt.not_in_passage ?? "")}, is known in English only.`,
        );
      summary.push(...tally.lines());
      return { outputs, figures, record: { requests: tally.counts }, summary: summary.join("\n") };
    } finally {
      await model.close();
    }
  },
  async plan(settings, { planned }) {
    const found = plannedSplits(settings, planned);
    const work = found.map((split) => ({
      split,
      questions: flattenQuestions((planned.get(resolve(split.questions)) ?? []) as QuestionsRow[], settings),
    }));
    return planAnswers(settings, work.length > 0 ? work : await readWork(settings));
  },
};

/** Questions → answers from the gold passages: `*_w_qa.jsonl` in the reference's format and its compact twin. */
export const genAnswers: Stage<GenAnswersSettings> = ownsFolder(stage, async (settings) =>
  storeFolder((await findSplits(settings)).map((split) => ({ split }))),
);
