import { join, resolve } from "node:path";
import { UserError } from "@rag-ft/core";
import type { OpenRagOptions } from "../open-rag-options.js";
import { runFolder } from "./run-folder.js";
import { type FoundRecord, readRunRecords, recordedPath } from "./run-records.js";

/** What a run's folder tells of its system; a part that it does not have is left out. */
export type RecordedSystem = Partial<OpenRagOptions>;

/** Settings that test-e2e and a system share, with their meaning. */
const SHARED = [
  "retrieval",
  "vector_store",
  "bm25_weight",
  "rerank_top_n",
  "rerank_weight",
  "rerank_int8",
  "embedding_max_num_to_retrieve",
  "max_seq_length",
  "max_new_tokens",
  "system_text",
  "system_prefix",
  "sep_system",
  "user_prefix",
  "assistant_prefix",
  "sep_user",
  "sep_sys",
  "citations",
] as const satisfies readonly (keyof OpenRagOptions)[];

/** Settings that train-generator and a system share. */
const SHARED_BY_TRAINING = [
  "retrieval",
  "vector_store",
  "bm25_weight",
  "rerank_top_n",
  "rerank_weight",
  "rerank_int8",
  "max_seq_length",
] as const satisfies readonly (keyof OpenRagOptions)[];

function shared({ settings }: FoundRecord, keys: readonly (keyof OpenRagOptions)[]): RecordedSystem {
  return Object.fromEntries(keys.flatMap((key) => (settings[key] === undefined ? [] : [[key, settings[key]]])));
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** `path` of `record`, if it has one, under `key`. */
async function named<Key extends keyof OpenRagOptions>(
  run: string,
  record: FoundRecord,
  key: Key,
  path: unknown,
): Promise<RecordedSystem> {
  const given = text(path);
  return given === undefined ? {} : { [key]: await recordedPath(run, record, given) };
}

/** Where the vectors are: a folder, or a database's URL. */
async function storeOf(run: string, record: FoundRecord): Promise<RecordedSystem> {
  const url = text(record.settings.vector_store_url);
  if (url === undefined || URL.canParse(url)) return url === undefined ? {} : { vector_store_url: url };
  return named(run, record, "vector_store_url", url);
}

async function testedSystem(run: string, record: FoundRecord): Promise<RecordedSystem> {
  const { settings } = record;
  return {
    ...shared(record, SHARED),
    ...(await named(run, record, "qa_model_name_or_path", settings.qa_model_name_or_path)),
    ...(await named(run, record, "embedding_model_name_or_path", settings.embedding_model_name_or_path)),
    ...(await named(run, record, "document_path", settings.document_path)),
    ...(await storeOf(run, record)),
    ...(await named(run, record, "retrieval_choice_of", settings.retrieval_choice_of)),
    ...(await named(run, record, "reranker", settings.reranker)),
  };
}

async function trainedSystem(run: string, record: FoundRecord): Promise<RecordedSystem> {
  const { settings } = record;
  const retrieved = settings.embedding_max_num_to_retrieve;
  return {
    ...shared(record, SHARED_BY_TRAINING),
    ...(typeof retrieved === "number" && retrieved > 0 ? { embedding_max_num_to_retrieve: retrieved } : {}),
    ...(await named(run, record, "reranker", settings.reranker)),
    qa_model_name_or_path: record.folder,
    ...(await named(run, record, "embedding_model_name_or_path", settings.embedding_model)),
    ...(await named(run, record, "document_path", settings.full_dataset_file_path)),
    ...(await storeOf(run, record)),
    ...(await named(run, record, "retrieval_choice_of", settings.retrieval_choice_of)),
  };
}

async function retrieverAlone(run: string, record: FoundRecord): Promise<RecordedSystem> {
  return {
    embedding_model_name_or_path: record.folder,
    ...(await named(run, record, "document_path", record.settings.full_dataset_file_path)),
  };
}

/**
 * The system that a run's folder, or that of its YAML file, holds: the generator trained last there as test-e2e last tested it; untested, as it was trained; where none was
 * trained, what was tested last; else the retriever trained last. It keeps the vectors in the folder `index` of the run.
 *
 * @throws UserError when there is no such folder, or it holds none of these.
 */
export async function findSystem(given: string): Promise<RecordedSystem> {
  const run = await runFolder(given);
  const records = await readRunRecords(run);
  const newest = (command: string): FoundRecord | undefined => records.find((record) => record.command === command);
  const trained = newest("train-generator");
  const tests = records.filter(({ command }) => command === "test-e2e");
  const index = { index_path: join(run, "index") };
  if (trained) {
    for (const test of tests) {
      const system = await testedSystem(run, test);
      if (resolve(system.qa_model_name_or_path ?? "") === resolve(trained.folder)) return { ...system, ...index };
    }
    return { ...(await trainedSystem(run, trained)), ...index };
  }
  const [tested] = tests;
  if (tested) return { ...(await testedSystem(run, tested)), ...index };
  const retriever = newest("train-retriever");
  if (retriever) return { ...(await retrieverAlone(run, retriever)), ...index };
  throw new UserError(
    `${run}: holds no system. Expected what train-generator, test-e2e or train-retriever leave there (manifest.<stage>.json); ` +
      "run the stages first (rag-ft run), or name the models: --qa_model_name_or_path, --embedding_model_name_or_path, --document_path.",
  );
}
