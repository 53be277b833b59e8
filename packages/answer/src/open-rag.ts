import { type Document, readDocuments, type StageContext, silentReporter, UserError } from "@rag-ft/core";
import { createRequestTally } from "@rag-ft/llm";
import { type OpenedRetriever, openPassageEncoder, openRetriever } from "@rag-ft/retrieval";
import { openGenerator } from "./open-generator.js";
import type { OpenRagOptions, OpenSearchOptions } from "./open-rag-options.js";
import { createRagSearch, type RagSearch, type SearchParts } from "./rag-search.js";
import { createRagSystem, type RagSystem } from "./rag-system.js";
import { findSystem, type RecordedSystem } from "./run/find-system.js";

/** @throws UserError when a run holds a part of a system only. */
function requireWhole(run: string, system: RecordedSystem): OpenRagOptions {
  const { qa_model_name_or_path, embedding_model_name_or_path, document_path } = system;
  if (
    qa_model_name_or_path === undefined ||
    embedding_model_name_or_path === undefined ||
    document_path === undefined
  ) {
    throw new UserError(
      `${run}: holds no generator, or no database. Open it by its parts: openRag({ ...(await findSystem(folder)), qa_model_name_or_path: … }).`,
    );
  }
  return { ...system, qa_model_name_or_path, embedding_model_name_or_path, document_path };
}

/** The values that test-e2e has, too. */
const DEFAULTS = { max_seq_length: 2048, max_new_tokens: 256, request_timeout: 300, seed: 0, device: "cpu" };

function whole(context: Partial<StageContext>): StageContext {
  const { reporter = silentReporter, signal = new AbortController().signal, env = process.env } = context;
  return { reporter, signal, env };
}

async function openSearched(
  documents: readonly Document[],
  options: OpenSearchOptions,
  context: Partial<StageContext>,
): Promise<SearchParts> {
  const { reporter, signal, env } = whole(context);
  const settings = { retrieval: "dense" as const, ...DEFAULTS, ...options };
  const model = settings.embedding_model_name_or_path;
  const { device, index_path: indexPath, truncate_dim: truncateDim } = settings;
  const open = (passages: readonly Document[]): Promise<OpenedRetriever> =>
    openRetriever(passages, {
      settings,
      env,
      device,
      model,
      openEncoder: () => openPassageEncoder(model, { env, reporter, signal, device, keepIn: indexPath, truncateDim }),
      ...(indexPath === undefined ? {} : { indexPath }),
      reporter,
      signal,
    });
  return {
    retriever: await open(documents),
    limit: settings.embedding_max_num_to_retrieve ?? 4,
    reopen: async () => open(await readDocuments(settings.document_path)),
  };
}

/**
 * Opens a database and its retriever, to search and embed alone.
 *
 * @throws UserError, DataError where a part is missing or does not fit.
 */
export async function openSearch(options: OpenSearchOptions, context: Partial<StageContext> = {}): Promise<RagSearch> {
  return createRagSearch(await openSearched(await readDocuments(options.document_path), options, context));
}

/**
 * Opens a tuned system: its database, retriever and generator, with the prompt format that the generator was trained on. `from`: the
 * folder of a run (see `findSystem`), or where its parts are.
 *
 * @throws UserError, DataError where a part is missing or does not fit; nothing stays open then.
 */
export async function openRag(from: string | OpenRagOptions, context: Partial<StageContext> = {}): Promise<RagSystem> {
  const options = typeof from === "string" ? requireWhole(from, await findSystem(from)) : from;
  const documents = await readDocuments(options.document_path);
  // The generator before the retriever: a wrong name or a missing key shows before the database is embedded.
  const settings = { ...DEFAULTS, ...options };
  const { generator } = await openGenerator(settings, { ...whole(context), tally: createRequestTally() });
  try {
    const followUps = options.follow_ups ?? (generator.provider === "openai" ? "rewrite" : "turns");
    return createRagSystem({ ...(await openSearched(documents, options, context)), generator, followUps });
  } catch (error) {
    await generator.close();
    throw error;
  }
}
