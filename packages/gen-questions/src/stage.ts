import { join } from "node:path";
import {
  createRandom,
  documentId,
  ownsFolder,
  type QuestionsRow,
  readDocuments,
  readQuestions,
  type Stage,
  type StageContext,
  type StagePlan,
  silentReporter,
  UserError,
  writeJsonl,
} from "@rag-ft/core";
import { EXTRACTIVE, openStoredModel, readDomainConfig, writeSkipped } from "@rag-ft/llm";
import { choosePassages, type PassageRow } from "./choose-passages.js";
import { type Collected, collectQuestions } from "./collect-questions.js";
import { passageFile, readPassageFile } from "./passage-file.js";
import { planAsked } from "./plan-asked.js";
import { extractiveQuestioner, modelQuestioner, type Questioner } from "./questioner.js";
import { heldOutQuestions, withoutLeaks } from "./remove-leaks.js";
import { type GenQuestionsSettings, genQuestionsSettings, QUESTIONS_A_PASSAGE } from "./settings.js";
import { documentsOf, splitHeldOut } from "./split-held-out.js";

/** Each mode draws from a sequence of its own, so that one after the other gives what `all` gives. */
const SEEDS = { passages: 0, heldOut: 1, train: 2 };
const randomFor = (seed: number, part: keyof typeof SEEDS) => createRandom(seed * 3 + SEEDS[part]);

/** What the parts of a run share. */
interface Run {
  settings: GenQuestionsSettings;
  context: StageContext;
  /** Name → rows of the files made so far. They are written together at the end: a run that fails changes no file. */
  files: Map<string, readonly unknown[]>;
  /** Gold passages and held-out questions of this run; those on disk serve where a mode does not make them. */
  passages?: PassageRow[];
  heldOut?: QuestionsRow[];
  figures: Record<string, number>;
  /** For the run record. */
  record: Record<string, unknown>;
}

const countQuestions = (rows: readonly QuestionsRow[]): number =>
  rows.reduce((sum, row) => sum + row.questions.length, 0);

async function writeFiles({ files, settings }: Run): Promise<string[]> {
  const outputs: string[] = [];
  for (const [name, rows] of files) {
    const path = join(settings.save_dir, name);
    await writeJsonl(path, rows);
    outputs.push(path);
  }
  return outputs;
}

/** Warns when fewer came than were asked for, with what went wrong; nothing at all is an error. */
function checkReached(run: Run, what: string, needed: number, collected: Collected, questioner: Questioner): void {
  const { rows, asked } = collected;
  const problems = questioner.failures.lines().map((line) => `\n  ${line}`);
  if (rows.length === 0)
    throw new UserError(
      `None of ${asked} passages gave a usable ${what} question.${problems.join("")}\nCheck the documents, the config's passage filter and the model. Earlier output is untouched.`,
    );
  if (rows.length < needed)
    run.context.reporter.warn(
      `${what}: ${rows.length} of the ${needed} passages asked for have questions (${countQuestions(rows)} questions from ${asked} passages asked). Give more documents, or ask for fewer questions.`,
    );
}

async function choose(run: Run): Promise<void> {
  const { settings, context } = run;
  const documents = await readDocuments(settings.document_path);
  const domain = await readDomainConfig(settings.config);
  const random = randomFor(settings.seed, "passages");
  const rows = choosePassages(documents, domain.passage_filter, settings.num_hard_negs_per_doc, random);
  if (rows.length === 0)
    throw new UserError(
      `${settings.document_path}: none of ${documents.length} passages can be asked about: a source needs ${settings.num_hard_negs_per_doc + 1} passages that do not repeat each other (--num_hard_negs_per_doc), and a passage at least ${domain.passage_filter.min_words} words (config ${domain.name}).`,
    );
  context.reporter.info(`${rows.length} of ${documents.length} passages can be asked about (domain: ${domain.name}).`);
  run.figures.passages = rows.length;
  run.passages = rows;
  run.files.set("gold_and_hard_negs.jsonl", rows);
}

async function createHeldOut(run: Run, questioner: Questioner): Promise<void> {
  const { settings, context } = run;
  const passages = randomFor(settings.seed, "heldOut").shuffle(
    run.passages ?? (await readPassageFile(settings.save_dir)),
  );
  const needed = Math.ceil(settings.num_eval_test_data / QUESTIONS_A_PASSAGE);
  const options = { label: "held-out questions", needed, occurrence: 0 };
  const collected = await collectQuestions(passages, questioner, context, options);
  checkReached(run, "held-out", needed, collected, questioner);
  if (collected.rows.length < 2)
    throw new UserError(
      "Only one passage has held-out questions; evaluation and test need one each. Give more documents.",
    );
  run.heldOut = collected.rows;
  const { evaluation, test } = splitHeldOut(collected.rows);
  run.files.set("nontrain_w_q.jsonl", collected.rows);
  run.files.set("eval_w_q.jsonl", evaluation);
  run.files.set("test_w_q.jsonl", test);
  run.files.set("eval_documents.jsonl", documentsOf(evaluation));
  run.files.set("test_documents.jsonl", documentsOf(test));
  run.figures.eval_questions = countQuestions(evaluation);
  run.figures.test_questions = countQuestions(test);
}

async function createTrain(run: Run, questioner: Questioner): Promise<void> {
  const { settings, context } = run;
  const heldOut = heldOutQuestions(run.heldOut ?? (await readQuestions(join(settings.save_dir, "nontrain_w_q.jsonl"))));
  const passages = randomFor(settings.seed, "train").shuffle(
    run.passages ?? (await readPassageFile(settings.save_dir)),
  );
  const needed = Math.ceil(settings.num_train_data / QUESTIONS_A_PASSAGE);
  let leaks = 0;
  const collected = await collectQuestions(passages, questioner, context, {
    label: "training questions",
    needed,
    occurrence: 1,
    keep: (passage, questions) => {
      const kept = withoutLeaks(questions, heldOut.get(documentId(passage)) ?? []);
      leaks += questions.length - kept.length;
      return kept;
    },
  });
  checkReached(run, "training", needed, collected, questioner);
  run.files.set("train_w_q.jsonl", collected.rows);
  run.figures.train_questions = countQuestions(collected.rows);
  run.figures.leaks_removed = leaks;
}

/** Runs the parts that need a questioner, with the model and the store opened and closed around them. */
async function withQuestioner(run: Run, work: (questioner: Questioner) => Promise<void>): Promise<string[]> {
  const { settings, context } = run;
  if (settings.prompt_model === EXTRACTIVE) {
    await work(extractiveQuestioner());
    return ["Questions by rules (extractive), not by a model: for trying things, not for figures to publish."];
  }
  const domain = await readDomainConfig(settings.config);
  const model = await openStoredModel(settings.prompt_model, {
    ...context,
    device: settings.device,
    settings,
    purpose: "gen-questions",
    folder: settings.save_dir,
  });
  try {
    const { tally } = model;
    const questioner = modelQuestioner(model, domain, settings, model.concurrency, context.signal);
    await work(questioner);
    run.figures.requests_sent = tally.counts.requests_sent;
    run.figures.requests_from_store = tally.counts.requests_from_store;
    run.figures.requests_failed_or_unusable = questioner.failures.total;
    const lines = questioner.failures.lines();
    run.record.requests = tally.counts;
    return [
      ...(lines.length > 0 ? ["Passages skipped:", ...lines.map((line) => `  ${line}`)] : []),
      ...(await writeSkipped(settings.save_dir, "skipped_passages.jsonl", questioner.failures)),
      ...tally.lines(),
    ];
  } finally {
    await model.close();
  }
}

/** What the run would ask: as many passages as are needed, in the order in which they are asked about. */
async function planQuestions(settings: GenQuestionsSettings, context: StageContext): Promise<StagePlan> {
  const run: Run = {
    settings,
    context: { ...context, reporter: silentReporter },
    files: new Map(),
    figures: {},
    record: {},
  };
  const { mode } = settings;
  if (mode === "all" || mode === "init_eval_dset") await choose(run);
  if (mode === "init_eval_dset") return { requests: [], files: run.files };
  const passages = run.passages ?? (await readPassageFile(settings.save_dir));
  return planAsked(settings, {
    heldOut: mode === "create_train_dset" ? undefined : randomFor(settings.seed, "heldOut").shuffle(passages),
    train: mode === "create_eval_dset" ? undefined : randomFor(settings.seed, "train").shuffle(passages),
  });
}

const stage: Stage<GenQuestionsSettings> = {
  name: "gen-questions",
  summary: "Have a model (or rules) ask questions about the passages: training, evaluation and test sets",
  settings: genQuestionsSettings,
  aliases: { timeout: "request_timeout" },
  inputs: ["document_path", "config"],
  async run(settings, context) {
    const run: Run = { settings, context, files: new Map(), figures: {}, record: {} };
    const { mode } = settings;
    if (mode === "all" || mode === "init_eval_dset") await choose(run);
    let notes: string[] = [];
    if (mode !== "init_eval_dset")
      notes = await withQuestioner(run, async (questioner) => {
        if (mode !== "create_train_dset") await createHeldOut(run, questioner);
        if (mode !== "create_eval_dset") await createTrain(run, questioner);
      });
    const outputs = await writeFiles(run);
    if (mode === "init_eval_dset")
      context.reporter.info(`Written: ${passageFile(settings.save_dir)}. Next: --mode create_eval_dset.`);
    const counts = Object.entries(run.figures).map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`);
    return { outputs, figures: run.figures, record: run.record, summary: [counts.join(", "), ...notes].join("\n") };
  },
  plan: planQuestions,
};

/** Passages → questions: chooses gold passages and hard negatives, then asks for held-out and training questions. */
export const genQuestions: Stage<GenQuestionsSettings> = ownsFolder(stage, ({ save_dir }) => save_dir);
