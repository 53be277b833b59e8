import { join } from "node:path";
import {
  type Document,
  describeSplit,
  documentId,
  ownsFolder,
  type PlanContext,
  plannedRows,
  type QuestionsRow,
  questionCount,
  questionKindOf,
  readDocuments,
  readQuestions,
  type Stage,
  type StageContext,
  type StagePlan,
  silentReporter,
  sourceOf,
  UserError,
  writeJsonl,
} from "@rag-ft/core";
import {
  createRequestTally,
  EXTRACTIVE,
  openForeignLanguage,
  openStoredModel,
  openVectorTally,
  type RequestTally,
  readDomainConfig,
  writeSkipped,
} from "@rag-ft/llm";
import { checkIndexPath } from "@rag-ft/retrieval";
import { requireJudge } from "./answerability.js";
import { duplicatesFilter, filtered } from "./apply-filters.js";
import { type BaseRetriever, needsRetriever, openBaseRetriever } from "./base-retriever.js";
import { choosePassages, type PassageRow } from "./choose-passages.js";
import { type Collected, collectQuestions } from "./collect-questions.js";
import { FilterCounts } from "./filters.js";
import { ForeignPassages } from "./foreign-passages.js";
import { type AskedSet, PassageCounts, whyFewer } from "./passage-counts.js";
import { passageFile, readPassageFile } from "./passage-file.js";
import { elsewhereRandom, heldOutOrder, randomFor, trainOrder } from "./passage-order.js";
import { planAsked } from "./plan-asked.js";
import { canAskBy, impossibleKinds, planKinds, type RowToAsk } from "./plan-kinds.js";
import { extractiveQuestioner, modelQuestioner, type Questioner } from "./questioner.js";
import { heldOutQuestions, withoutLeaks } from "./remove-leaks.js";
import { type GenQuestionsSettings, genQuestionsSettings, QUESTIONS_A_PASSAGE } from "./settings.js";
import { splitBySource } from "./split-by-source.js";
import { documentsOf, splitHeldOut } from "./split-held-out.js";

/** What the parts of a run share. */
interface Run {
  settings: GenQuestionsSettings;
  context: StageContext;
  /** Name → rows of the files made so far. They are written together at the end: a run that fails changes no file. */
  files: Map<string, readonly unknown[]>;
  /** Gold passages and held-out questions of this run; those on disk serve where a mode does not make them. */
  passages?: PassageRow[];
  heldOut?: QuestionsRow[];
  /** Of a dry run, where an earlier stage would make them. */
  documents?: readonly Document[];
  figures: Record<string, number>;
  filters: FilterCounts;
  counts: PassageCounts;
  /** Opened where a filter or mining needs it. */
  retriever?: BaseRetriever;
  /** For the run record. */
  record: Record<string, unknown>;
}

const askedOf = ({ asked, rows }: Collected): { asked: number; withQuestions: number } => ({
  asked,
  withQuestions: rows.length,
});

async function writeFiles({ files, settings }: Run): Promise<string[]> {
  const outputs: string[] = [];
  for (const [name, rows] of files) {
    const path = join(settings.save_dir, name);
    await writeJsonl(path, rows);
    outputs.push(path);
  }
  return outputs;
}

/** Counts what came of a set; fewer than were asked for are a warning, with what went wrong; nothing at all is an error. */
function checkReached(run: Run, set: Omit<AskedSet, "made">, collected: Collected, questioner: Questioner): void {
  const { rows, asked } = collected;
  const problems = [...questioner.failures.lines(), ...run.filters.lines().flatMap((table) => table.split("\n"))].map(
    (line) => `\n  ${line}`,
  );
  if (rows.length === 0) {
    const apart =
      set.keptApart > 0
        ? ` ${set.keptApart} other passages are kept apart for held-out questions: ask for fewer of these (--num_eval_test_data).`
        : "";
    throw new UserError(
      `None of ${asked} passages gave a usable ${set.name} question.${apart}${problems.join("")}\nCheck the documents, the config's passage filter and the model. Earlier output is untouched.`,
    );
  }
  const counted = { ...set, made: questionCount(rows) };
  run.counts.add(counted);
  const needed = Math.ceil(set.wanted / QUESTIONS_A_PASSAGE);
  if (rows.length < needed)
    run.context.reporter.warn(
      `${set.name}: ${rows.length} of the ${needed} passages asked for have questions (${set.wanted} questions wanted, ${counted.made} made): ${whyFewer(counted)}. Give more documents, or ask for fewer questions.`,
    );
}

/** Adds the questions of each kind to the figures, where there are kinds. */
function countKinds({ figures }: Run, rows: readonly QuestionsRow[]): void {
  for (const row of rows) {
    const kind = questionKindOf(row);
    if (kind === undefined) continue;
    const name = `${kind}_questions`;
    figures[name] = (figures[name] ?? 0) + row.questions.length;
  }
}

async function choose(run: Run): Promise<void> {
  const { settings, context } = run;
  const documents = run.documents ?? (await readDocuments(settings.document_path));
  const domain = await readDomainConfig(settings.config);
  const random = randomFor(settings.seed, "passages");
  // Mined ones come from the whole database, once there are questions: a source needs none to spare.
  const negatives = settings.hard_negatives === "mined" ? 0 : settings.num_hard_negs_per_doc;
  const rows = choosePassages(documents, domain.passage_filter, negatives, random, {
    onLeftOut: run.counts.leftOut,
    ...(settings.hard_negatives === "same-source-only" ? {} : { elsewhere: elsewhereRandom(settings.seed) }),
  });
  if (rows.length === 0)
    throw new UserError(
      `${settings.document_path}: none of ${documents.length} passages can be asked about: ${settings.hard_negatives === "same-source-only" ? `a source needs ${negatives + 1} passages that do not repeat each other (--num_hard_negs_per_doc), and ` : ""}a passage needs at least ${domain.passage_filter.min_words} words (config ${domain.name}). ${run.counts.lines().join("; ")}.`,
    );
  context.reporter.info(`${rows.length} of ${documents.length} passages can be asked about (domain: ${domain.name}).`);
  const lacking = rows.filter(({ hard_neg_docs }) => hard_neg_docs.length < negatives).length;
  if (lacking > 0)
    context.reporter.warn(
      `${lacking} of ${rows.length} passages have fewer than ${negatives} hard negatives: the database has too few others that do not repeat them.`,
    );
  run.figures.passages = rows.length;
  run.passages = rows;
  run.files.set("gold_and_hard_negs.jsonl", rows);
}

/** Rows with hard negatives from the whole database, where the run wants such; as they are otherwise. */
async function withNegatives(run: Run, rows: QuestionsRow[]): Promise<QuestionsRow[]> {
  if (run.settings.hard_negatives !== "mined" || !run.retriever) return rows;
  const mined = await run.retriever.mine(rows);
  if (mined.counts.short > 0)
    run.context.reporter.warn(
      `${mined.counts.short} of ${rows.length} passages have fewer than ${run.settings.num_hard_negs_per_doc} mined hard negatives: too few of the passages retrieved score below ${run.settings.negative_margin} of the gold passage (--negative_margin).`,
    );
  run.figures.mined_negatives = (run.figures.mined_negatives ?? 0) + mined.counts.negatives;
  return mined.rows;
}

async function createHeldOut(run: Run, questioner: Questioner): Promise<void> {
  const { settings, context } = run;
  const order = heldOutOrder(run.passages ?? (await readPassageFile(settings.save_dir)), settings);
  const passages = planKinds(order, questioner.kinds, canAskBy(settings.prompt_model));
  const needed = Math.ceil(settings.num_eval_test_data / QUESTIONS_A_PASSAGE);
  const collected = await collectQuestions(passages, questioner, context, {
    label: "held-out questions",
    needed,
    occurrence: 0,
    keep: (row, questions) => filtered(run, questioner, row, questions),
    keepAfter: duplicatesFilter(run, []),
  });
  const { length } = order;
  const counted = {
    ...{ name: "held-out", wanted: settings.num_eval_test_data, passages: length, keptApart: 0 },
    paired: length - passages.length,
  };
  checkReached(run, { ...counted, ...askedOf(collected) }, collected, questioner);
  if (collected.rows.length < 2)
    throw new UserError(
      "Only one passage has held-out questions; evaluation and test need one each. Give more documents.",
    );
  const rows = await withNegatives(run, collected.rows);
  run.heldOut = rows;
  const { evaluation, test } = settings.split_by === "source" ? splitBySource(rows) : splitHeldOut(rows);
  if (settings.split_by === "source" && evaluation.some((row) => sourceOf(row) === sourceOf(test[0] as QuestionsRow)))
    throw new UserError(
      `All ${rows.length} passages with held-out questions are of one source (${sourceOf(rows[0] as QuestionsRow)}): --split_by source needs one for evaluation and another for test. Ask for more held-out questions (--num_eval_test_data), or split by passage.`,
    );
  run.files.set("nontrain_w_q.jsonl", rows);
  run.files.set("eval_w_q.jsonl", evaluation);
  run.files.set("test_w_q.jsonl", test);
  run.files.set("eval_documents.jsonl", documentsOf(evaluation));
  run.files.set("test_documents.jsonl", documentsOf(test));
  countKinds(run, rows);
  run.figures.eval_questions = questionCount(evaluation);
  run.figures.test_questions = questionCount(test);
}

const heldOutOnDisk = ({ save_dir }: GenQuestionsSettings): Promise<QuestionsRow[]> =>
  readQuestions(join(save_dir, "nontrain_w_q.jsonl"));

async function createTrain(run: Run, questioner: Questioner): Promise<void> {
  const { settings, context } = run;
  const heldOutRows = run.heldOut ?? (await heldOutOnDisk(settings));
  const heldOut = heldOutQuestions(heldOutRows);
  const all = run.passages ?? (await readPassageFile(settings.save_dir));
  const order = trainOrder(all, heldOutRows, settings);
  const passages = planKinds(order, questioner.kinds, canAskBy(settings.prompt_model));
  const needed = Math.ceil(settings.num_train_data / QUESTIONS_A_PASSAGE);
  let leaks = 0;
  const collected = await collectQuestions(passages, questioner, context, {
    label: "training questions",
    needed,
    occurrence: 1,
    keep: (row, questions) => {
      const others = row.gold_docs.flatMap((passage) => heldOut.get(documentId(passage)) ?? []);
      const kept = withoutLeaks(questions, others);
      leaks += questions.length - kept.length;
      return filtered(run, questioner, row, kept);
    },
    keepAfter: duplicatesFilter(run, heldOutRows),
  });
  const apart = {
    ...{ passages: all.length, keptApart: all.length - order.length },
    paired: order.length - passages.length,
  };
  const counted = { name: "training", wanted: settings.num_train_data, ...apart };
  checkReached(run, { ...counted, ...askedOf(collected) }, collected, questioner);
  run.files.set("train_w_q.jsonl", await withNegatives(run, collected.rows));
  countKinds(run, collected.rows);
  run.figures.train_questions = questionCount(collected.rows);
  run.figures.leaks_removed = leaks;
}

/** Opens the base retriever, where it is needed, before the first question is paid for. */
async function withRetriever(run: Run, tally: RequestTally | undefined, work: () => Promise<void>): Promise<void> {
  if (!needsRetriever(run.settings)) return work();
  const retriever = await openBaseRetriever(run.settings, { ...run.context, tally });
  run.retriever = retriever;
  try {
    return await work();
  } finally {
    await retriever.close();
  }
}

/** Runs the parts that need a questioner, with the model and the store opened and closed around them. */
async function withQuestioner(run: Run, work: (questioner: Questioner) => Promise<void>): Promise<string[]> {
  const { settings, context } = run;
  const domain = await readDomainConfig(settings.config);
  const foreign = new ForeignPassages(await openForeignLanguage(domain));
  if (settings.prompt_model === EXTRACTIVE) {
    const cannot = impossibleKinds(domain.question_kinds, settings.prompt_model);
    const models = settings.embedding_model === undefined ? [] : [settings.embedding_model];
    const tally = (await openVectorTally("gen-questions", models, settings)) ?? createRequestTally();
    await withRetriever(run, tally, () => work(extractiveQuestioner(foreign, settings, domain.question_kinds)));
    if (tally.counts.requests_sent > 0) run.record.requests = tally.counts;
    return [
      ...(foreign.count > 0
        ? [
            `${foreign.count} passages have no questions: the rules of "extractive" are for English, which these are not.`,
          ]
        : []),
      ...(tally.counts.requests_sent > 0 ? tally.lines() : []),
      ...(cannot.length > 0
        ? [
            `Rules (extractive) cannot make questions of the kinds ${cannot.join(" and ")}, which the domain config asks for: their share went to the others.`,
          ]
        : []),
      "Questions by rules (extractive), not by a model: for trying things, not for figures to publish.",
    ];
  }
  const model = await openStoredModel(settings.prompt_model, {
    ...context,
    device: settings.device,
    settings,
    purpose: "gen-questions",
    folder: settings.save_dir,
  });
  try {
    const { tally } = model;
    const questioner = modelQuestioner(model, domain, settings, foreign, model.concurrency, context.signal);
    await withRetriever(run, tally, () => work(questioner));
    run.figures.requests_sent = tally.counts.requests_sent;
    run.figures.requests_from_store = tally.counts.requests_from_store;
    run.figures.requests_failed_or_unusable = questioner.failures.total;
    const lines = questioner.failures.lines();
    run.record.requests = tally.counts;
    run.figures.passages_not_in_english = foreign.count;
    return [
      ...foreign.lines(),
      ...(lines.length > 0 ? ["Passages skipped:", ...lines.map((line) => `  ${line}`)] : []),
      ...(await writeSkipped(settings.save_dir, "skipped_passages.jsonl", questioner.failures)),
      ...tally.lines(),
    ];
  } finally {
    await model.close();
  }
}

/** What the run would ask: as many passages as are needed, in the order in which they are asked about. */
async function planQuestions(settings: GenQuestionsSettings, context: PlanContext): Promise<StagePlan> {
  const choosesPassages = settings.mode === "all" || settings.mode === "init_eval_dset";
  const documents =
    choosesPassages || needsRetriever(settings)
      ? await plannedRows(context, settings.document_path, readDocuments)
      : [];
  const run: Run = {
    settings,
    context: { ...context, reporter: silentReporter },
    files: new Map(),
    documents,
    figures: {},
    filters: new FilterCounts([]),
    counts: new PassageCounts(),
    record: {},
  };
  const { mode } = settings;
  if (choosesPassages) await choose(run);
  if (mode === "init_eval_dset") return { requests: [], files: run.files };
  const passages = run.passages ?? (await readPassageFile(settings.save_dir));
  const onDisk = mode === "create_train_dset" ? await heldOutOnDisk(settings) : undefined;
  const { question_kinds: kinds } = await readDomainConfig(settings.config);
  const withKinds = (rows: readonly PassageRow[]): RowToAsk[] =>
    planKinds(rows, kinds, canAskBy(settings.prompt_model));
  return planAsked(settings, {
    heldOut: onDisk ? undefined : withKinds(heldOutOrder(passages, settings)),
    train:
      mode === "create_eval_dset" ? undefined : (rows) => withKinds(trainOrder(passages, onDisk ?? rows, settings)),
    documents,
  });
}

const stage: Stage<GenQuestionsSettings> = {
  name: "gen-questions",
  summary: "Have a model (or rules) ask questions about the passages: training, evaluation and test sets",
  settings: genQuestionsSettings,
  aliases: { timeout: "request_timeout" },
  inputs: ["document_path", "config", "embedding_model"],
  check: ({ index_path }) => checkIndexPath(index_path),
  async run(settings, context) {
    const { mode } = settings;
    const run: Run = {
      settings,
      context,
      files: new Map(),
      figures: {},
      filters: new FilterCounts(mode === "init_eval_dset" ? [] : settings.filters),
      counts: new PassageCounts(),
      record: {},
    };
    requireJudge(settings.prompt_model === EXTRACTIVE, settings);
    if (mode === "all" || mode === "init_eval_dset") await choose(run);
    let notes: string[] = [];
    if (mode !== "init_eval_dset")
      notes = await withQuestioner(run, async (questioner) => {
        if (mode !== "create_train_dset") await createHeldOut(run, questioner);
        if (mode !== "create_eval_dset") await createTrain(run, questioner);
      });
    Object.assign(run.figures, run.filters.figures());
    if (settings.filters.length > 0) run.record.filters = run.filters.record();
    run.record.passages = run.counts.record();
    run.record.split_by = settings.split_by;
    const outputs = await writeFiles(run);
    if (mode === "init_eval_dset")
      context.reporter.info(`Written: ${passageFile(settings.save_dir)}. Next: --mode create_eval_dset.`);
    const counts = Object.entries(run.figures).map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`);
    return {
      outputs,
      figures: run.figures,
      record: run.record,
      summary: [
        counts.join(", "),
        describeSplit(settings.split_by),
        ...run.counts.lines(),
        ...run.filters.lines(),
        ...notes,
      ].join("\n"),
    };
  },
  plan: planQuestions,
};

/** Passages → questions: chooses gold passages and hard negatives, then asks for held-out and training questions. */
export const genQuestions: Stage<GenQuestionsSettings> = ownsFolder(stage, ({ save_dir }) => save_dir);
