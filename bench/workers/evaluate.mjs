// Recall of an encoder's folder on the held-out questions over the whole database, or on other files: the same evaluation for every side. Prints JSON.
import { readFileSync } from "node:fs";
import { readDocuments, readQuestions } from "../../packages/core/dist/index.js";
import { openEncoder } from "../../packages/models/dist/index.js";
import { evaluateRetrieval, flattenQuestions, openIndex } from "../../packages/retrieval/dist/index.js";
import { database, evaluationExamples } from "../data.mjs";
import { flags, quiet } from "../tools.mjs";

const { encoder: folder, overrides, data, files } = JSON.parse(readFileSync(flags.request, "utf8"));
const encoder = await openEncoder(folder, { ...quiet, overrides });
const questions = files ? flattenQuestions(await readQuestions(files.questions)) : await evaluationExamples(data);
const documents = await (files ? readDocuments(files.database) : database(data));
const index = await openIndex(documents, encoder, quiet);
const { figures } = await evaluateRetrieval({ index, encoder, questions, ...quiet });
console.log(
  JSON.stringify({
    recall1: figures["document_recall/recall1"],
    recall4: figures["document_recall/recall4"],
    mrr: figures.mrr,
    questions: questions.length,
  }),
);
process.exit(0);
