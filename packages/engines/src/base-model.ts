import { join } from "node:path";
import type { Job } from "./job/job-file.js";
import { filesWithin, hashFilesOf, type JobContent } from "./job/write-job.js";

/** What an engine reads of a model folder: configuration, tokenizer, weights, and what sentence-transformers keeps beside them. */
const OF_A_MODEL =
  /^((config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template|modules|config_sentence_transformers|sentence_bert_config)\.json|model(-\d+-of-\d+)?\.safetensors(\.index\.json)?|tokenizer\.model|chat_template\.jinja|(vocab|merges)\.txt|\d+_[A-Za-z]+\/(config\.json|model\.safetensors))$/;

/** Where a job has the base. */
const PLACE = "base";

/** The base of a job: files of it, or its name and commit on the hub. */
export interface JobBase {
  base: Job["base"];
  files: ReadonlyMap<string, JobContent>;
  /** For the job's identity. */
  hash: string;
}

/** A base in a folder goes along; one of the hub is fetched by the machine that trains, at the commit that is in the cache here. */
export async function jobBase(name: string, folder: string, commit: string | undefined): Promise<JobBase> {
  const [id = name] = name.split("@");
  if (commit !== undefined) return { base: { name, place: id, commit }, files: new Map(), hash: `${id}@${commit}` };
  const names = (await filesWithin(folder)).filter((path) => OF_A_MODEL.test(path));
  const files = new Map(names.map((path) => [`${PLACE}/${path}`, { from: join(folder, path) }] as const));
  return { base: { name, place: PLACE }, files, hash: await hashFilesOf(folder, names) };
}
