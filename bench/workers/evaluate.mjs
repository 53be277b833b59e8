// Recall of an encoder's folder on the held-out questions over the whole database: the same evaluation for every side. Prints JSON.
import { readFileSync } from "node:fs";
import { openEncoder } from "../../packages/models/dist/index.js";
import { evaluateRetrieval, openIndex } from "../../packages/retrieval/dist/index.js";
import { database, evaluationExamples } from "../data.mjs";
import { flags, quiet } from "../tools.mjs";

const { encoder: folder, overrides, data } = JSON.parse(readFileSync(flags.request, "utf8"));
const encoder = await openEncoder(folder, { ...quiet, overrides });
const questions = await evaluationExamples(data);
const index = await openIndex(await database(data), encoder, quiet);
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
