import { join } from "node:path";
import { readAskedQuestions, readDocuments, type Stage, UserError, writeFileAtomic, writeJsonl } from "@rag-ft/core";
import { BEIR_FILES, beirRows, type JudgedQuestion } from "@rag-ft/retrieval";
import { readBeir } from "./read-beir.js";
import { type BeirSettings, beirSettings } from "./settings.js";

/** Writes a database and questions as a BEIR folder; returns its files. */
async function writeBeir({ folder, document_path, eval_data_path }: BeirSettings): Promise<string[]> {
  if (document_path === undefined || eval_data_path === undefined)
    throw new UserError("beir out: give --document_path and --eval_data_path.");
  const documents = await readDocuments(document_path);
  const questions = (await readAskedQuestions(eval_data_path)).flatMap(({ questions, ...row }): JudgedQuestion[] =>
    questions.map((question) => ({ ...row, question, ...(questions.length === 1 ? {} : { query_id: undefined }) })),
  );
  const { corpus, queries, qrels } = beirRows(documents, questions);
  const at = (name: keyof typeof BEIR_FILES): string => join(folder, BEIR_FILES[name]);
  await writeJsonl(at("corpus"), corpus);
  await writeJsonl(at("queries"), queries);
  await writeFileAtomic(at("qrels"), qrels);
  return [at("corpus"), at("queries"), at("qrels")];
}

/** `rag-ft beir in|out <folder>`: sets of questions for evaluation, to and from other programs. */
export const beir: Stage<BeirSettings> = {
  name: "beir",
  summary: "Turn a BEIR folder into a database and questions with graded gold passages, or the reverse",
  settings: beirSettings,
  positionals: ["action", "folder"],
  inputs: ["folder", "document_path", "eval_data_path"],
  async run(settings, { reporter }) {
    if (settings.action === "out") {
      const outputs = await writeBeir(settings);
      return { outputs, summary: `${settings.folder}: ${outputs.length} files`, record_folder: settings.folder };
    }
    if (settings.save_dir === undefined) throw new UserError("beir in: give --save_dir, the folder for our own files.");
    const outputs = await readBeir(settings.folder, settings.save_dir, reporter);
    return { outputs, summary: outputs.join("\n"), record_folder: settings.save_dir };
  },
};
