// The base model's recall, and the training questions with hard negatives mined by it, for bench/negatives.mjs. Prints JSON.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readQuestions, writeJsonl } from "../../packages/core/dist/index.js";
import { openEncoder } from "../../packages/models/dist/index.js";
import { evaluateRetriever, mineHardNegatives, openDenseRetriever } from "../../packages/retrieval/dist/index.js";
import { database, evaluationExamples } from "../data.mjs";
import { flags, quiet } from "../tools.mjs";

const { encoder: folder, overrides, data, mining, indexPath, save } = JSON.parse(readFileSync(flags.request, "utf8"));
const encoder = await openEncoder(folder, { ...quiet, overrides });
const retriever = await openDenseRetriever(await database(data), encoder, { ...quiet, indexPath });
const questions = await evaluationExamples(data);
const { figures } = await evaluateRetriever(retriever, { questions, ...quiet });
const rows = await readQuestions(join(data, "train_w_q.jsonl"));
const mined = await mineHardNegatives(rows, { ...quiet, ...mining, retriever });
await writeJsonl(save, mined.rows);
console.log(
  JSON.stringify({
    recall1: figures["document_recall/recall1"],
    recall4: figures["document_recall/recall4"],
    mrr: figures.mrr,
    questions: questions.length,
    mined: mined.counts,
  }),
);
process.exit(0);
