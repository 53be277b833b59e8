// The same work for every side, from LocalRQA's Faire files: pairs, sequences, passages.
import { join } from "node:path";
import {
  buildAnswer,
  buildPrompt,
  createRandom,
  defaultPromptFormat,
  distinctDocuments,
  documentKey,
  readDocuments,
  readQa,
  readQuestions,
  silentReporter,
} from "../packages/core/dist/index.js";
import { loadTokenizer } from "../packages/models/dist/index.js";
import { flattenQuestions } from "../packages/train-retriever/dist/index.js";

/** How texts become vectors, on every side. */
export const ENCODER_SETTINGS = {
  pooling: "mean",
  similarity: "cosine",
  query_prefix: "query: ",
  passage_prefix: "passage: ",
  max_length: 512,
};

/** How weights are trained, on every side. */
export const TRAINING_SETTINGS = {
  learning_rate: 2e-5,
  weight_decay: 0.01,
  warmup_ratio: 0.1,
  lr_scheduler_type: "cosine",
  max_grad_norm: 1,
};

/** As the peers are given an example: texts with their prefixes. */
export const asPair = ({ question, gold_docs: [gold] }) => ({
  query: ENCODER_SETTINGS.query_prefix + question,
  passage: ENCODER_SETTINGS.passage_prefix + gold.fmt_content,
});

/** All questions of train_w_q.jsonl with their gold passage, in an order given by the seed. */
export async function trainingExamples(data, seed) {
  const rows = await readQuestions(join(data, "train_w_q.jsonl"));
  return createRandom(seed).shuffle(flattenQuestions(rows));
}

export const evaluationExamples = async (data) => flattenQuestions(await readQuestions(join(data, "eval_w_q.jsonl")));

/** All passages that questions name, each once: a database where there is no other. */
export const passagesOf = (rows) =>
  distinctDocuments(rows.flatMap(({ gold_docs, hard_neg_docs }) => [...gold_docs, ...hard_neg_docs]));

export const database = (data) => readDocuments(join(data, "faire.pkl"));

/** SmolLM2-Instruct's turns. */
export const CHAT = {
  ...defaultPromptFormat,
  system_prefix: "<|im_start|>system\n",
  sep_system: "<|im_end|>\n",
  user_prefix: "<|im_start|>user\n",
  sep_user: "<|im_end|>\n",
  assistant_prefix: "<|im_start|>assistant\n",
  sep_sys: "<|im_end|>",
};

const SEQUENCE = { least: 1100, most: 1200 };
const ANSWER = { most: 125, least: 75 };

/**
 * Sequences of about 1,200 tokens with answers of about 100: questions of train_w_qa.jsonl with their gold passage, its hard negatives, and
 * further passages as far as they fit. Token ids, prompt and answer apart. `bounds` of another length in tokens may be given.
 */
export async function sequences(data, decoder, count, seed, bounds = SEQUENCE) {
  const { least, most } = bounds;
  const tokenizer = await loadTokenizer(decoder);
  const random = createRandom(seed);
  const rows = random.shuffle(await readQa(join(data, "train_w_qa.jsonl"), silentReporter));
  const others = rows.map((row) => row.gold_docs[0]);
  const made = [];
  for (const row of rows) {
    const answer = tokenizer.encode(buildAnswer(CHAT, row.gold_answer), { special: false });
    if (answer.length < ANSWER.least || answer.length > ANSWER.most) continue;
    let passages = [];
    let prompt = [];
    const known = new Set();
    for (const passage of [...row.gold_docs, ...row.hard_neg_docs, ...random.sample(others, 40)]) {
      if (known.has(documentKey(passage))) continue;
      known.add(documentKey(passage));
      const longer = tokenizer.encode(buildPrompt(CHAT, [...passages, passage], row.question));
      if (longer.length + answer.length > most) continue;
      passages = [...passages, passage];
      prompt = longer;
    }
    if (prompt.length + answer.length >= least) made.push({ prompt, answer });
    if (made.length === count) return made;
  }
  throw new Error(`${data}: only ${made.length} of ${count} sequences of ${least} to ${most} tokens`);
}
