import { join } from "node:path";
import {
  createDocument,
  type Document,
  documentId,
  type PlannedRequests,
  type StageContext,
  UserError,
} from "@rag-ft/core";
import type { CountedPassage } from "@rag-ft/documents";
import {
  type ChatMessage,
  type CompletionOptions,
  createFailureLog,
  EXTRACTIVE,
  type ForeignLanguage,
  openCompletionStore,
  openForeignLanguage,
  openStoredModel,
  planRequests,
  type RequestTally,
  readPrices,
  runPool,
  STORE_NAME,
  writeSkipped,
} from "@rag-ft/llm";
import { sentences, wordCount } from "@rag-ft/text";
import { pageAround } from "./page-around.js";
import type { PrepareDocsSettings } from "./settings.js";

/** Passages that have none, and why, in save_dir. */
export const SKIPPED_CONTEXTS = "skipped_contexts.jsonl";

/** Tokens of a sentence, with room for long words, and of one as it mostly is. */
const MOST_TOKENS = 120;
const TYPICAL_REPLY = 40;
/** Longer than this, a reply is no sentence of context: its first sentence is taken. */
const MOST_WORDS = 60;

const INSTRUCTION = `You help a search in documentation. You are given a page, as far as it fits, and one passage of it. Write one sentence of at most 40 words that says what the page is about and what the passage tells there, and that names the product, function or setting which the passage itself may leave unnamed, so that somebody who searches for it finds the passage. Say nothing that the page does not say, give no judgement, and do not begin with "This passage". Reply with the sentence alone.`;

/** Stands for a sentence that is not there yet. */
const STAND_IN =
  "On the page about unpaid orders of the shop, how long an order is kept before it lapses and the goods are free again, and the setting of the payment options that decides it.";

/** A passage of a page of several, with its place there. */
interface PlacedPassage {
  passage: Document;
  page: readonly CountedPassage[];
  at: number;
}

/** Passages that say too little of their page; that of a page of its own has the whole of it. */
function placedPassages(kept: readonly CountedPassage[]): PlacedPassage[] {
  const pages = new Map<string, CountedPassage[]>();
  for (const counted of kept) {
    const { source } = counted.passage.metadata;
    const page = pages.get(source);
    if (page) page.push(counted);
    else pages.set(source, [counted]);
  }
  return [...pages.values()]
    .filter((page) => page.length > 1)
    .flatMap((page) => page.map(({ passage }, at) => ({ passage, page, at })));
}

/** @throws UserError without somebody to ask. */
function modelOf({ prompt_model }: PrepareDocsSettings): string {
  if (prompt_model !== undefined && prompt_model !== EXTRACTIVE) return prompt_model;
  throw new UserError(
    `contextual: a model has to write the sentences, and prompt_model is ${prompt_model === undefined ? "left out" : "extractive (rules cannot)"}. Name one: a model behind the OpenAI API, or local:<folder or hub id>.`,
  );
}

function contextRequest(
  { passage, page, at }: PlacedPassage,
  settings: PrepareDocsSettings,
  languageOf: ForeignLanguage,
): { messages: ChatMessage[]; options: CompletionOptions } {
  const language = languageOf(passage.page_content);
  const content = language === undefined ? INSTRUCTION : `${INSTRUCTION} The sentence is to be in ${language}.`;
  const { source, title } = passage.metadata;
  // The page first: what is asked about its passages begins alike, which servers keep between requests.
  const shown = `<page source=${JSON.stringify(source)}${title ? ` title=${JSON.stringify(title)}` : ""}>\n${pageAround(page, at, settings.contextual_tokens)}\n</page>`;
  return {
    messages: [
      { role: "system", content },
      { role: "user", content: `${shown}\n\n<passage>\n${passage.page_content.trim()}\n</passage>` },
    ],
    options: {
      temperature: 0,
      max_new_tokens: MOST_TOKENS,
      timeout_ms: settings.request_timeout * 1000,
      seed: settings.seed,
    },
  };
}

/** One line of a reply, without quotation marks around it. */
function cleanContext(reply: string): string {
  const line = reply.replace(/\s+/g, " ").trim();
  const bare = /^["“«](.*)["”»]$/.exec(line)?.[1]?.trim() ?? line;
  return wordCount(bare) > MOST_WORDS ? (sentences(bare)[0] ?? "") : bare;
}

/** The passage with its context, of which all that searches and answers is made. */
const withContext = ({ page_content, metadata }: Document, context: string): Document =>
  createDocument(page_content, { ...metadata, context_sentence: context });

export interface Contextual {
  kept: CountedPassage[];
  /** Passages with a sentence, and those of several that have none. */
  counts: { contexts: number; without: number };
  tally: RequestTally;
  lines: string[];
}

/** Has a model write a sentence of context for each passage of a page of several; where it fails, the passage stays as it is. */
export async function addContexts(
  kept: readonly CountedPassage[],
  settings: PrepareDocsSettings,
  context: StageContext,
): Promise<Contextual> {
  const placed = placedPassages(kept);
  const model = await openStoredModel(modelOf(settings), {
    ...context,
    ...{ device: settings.device, settings, purpose: "prepare-docs", folder: settings.save_dir },
  });
  const { reporter, signal } = context;
  const failures = createFailureLog(model.tally);
  const progress = reporter.start("contexts of passages", placed.length);
  try {
    const languageOf = await openForeignLanguage({});
    const ask = async (one: PlacedPassage): Promise<string | undefined> => {
      const { messages, options } = contextRequest(one, settings, languageOf);
      const subject = { passage: documentId(one.passage), source: one.passage.metadata.source };
      try {
        const sentence = cleanContext((await model.complete(messages, { ...options, signal })).text);
        if (sentence === "") failures.unusable("empty sentence", "empty", subject);
        else failures.succeeded();
        return sentence || undefined;
      } catch (error) {
        failures.failed(error, subject);
        return undefined;
      }
    };
    const found = await runPool(placed, ask, {
      concurrency: model.concurrency,
      signal,
      onDone: (done) => progress.update(done),
    });
    const sentenceOf = new Map(placed.map(({ passage }, i) => [passage, found[i]]));
    const contexts = found.filter((sentence) => sentence !== undefined).length;
    return {
      kept: kept.map((counted) => {
        const sentence = sentenceOf.get(counted.passage);
        return sentence === undefined ? counted : { ...counted, passage: withContext(counted.passage, sentence) };
      }),
      counts: { contexts, without: placed.length - contexts },
      tally: model.tally,
      lines: [
        `${contexts} of ${kept.length} passages have a sentence of context; ${kept.length - placed.length} are alone on their page and need none.`,
        ...failures.lines().map((line) => `without one: ${line}`),
        ...(await writeSkipped(settings.save_dir, SKIPPED_CONTEXTS, failures)),
        ...model.tally.lines(),
      ],
    };
  } finally {
    progress.stop();
    await model.close();
  }
}

/** What the sentences would cost, and the passages with such as are there, or stand-ins. */
export async function planContexts(
  kept: readonly CountedPassage[],
  settings: PrepareDocsSettings,
): Promise<{ request: PlannedRequests; passages: Document[] }> {
  const plan = planRequests({
    ...{ stage: "prepare-docs", purpose: "contexts", model: modelOf(settings), typicalReply: TYPICAL_REPLY },
    store: await openCompletionStore(join(settings.save_dir, STORE_NAME), { readOnly: true }),
    prices: await readPrices(settings.prices),
    batch: settings.batch,
  });
  const languageOf = await openForeignLanguage({});
  const sentenceOf = new Map<Document, string>();
  for (const one of placedPassages(kept)) {
    const { messages, options } = contextRequest(one, settings, languageOf);
    const stored = await plan.add(messages, options);
    sentenceOf.set(one.passage, (stored && cleanContext(stored.text)) || STAND_IN);
  }
  const passages = kept.map(({ passage }) => {
    const sentence = sentenceOf.get(passage);
    return sentence === undefined ? passage : withContext(passage, sentence);
  });
  return { request: plan.result(), passages };
}
