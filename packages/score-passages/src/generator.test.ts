import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  buildAnswer,
  buildPrompt,
  createDocument,
  type Document,
  documentId,
  type PromptFormat,
  silentReporter,
  writeJsonl,
} from "@rag-ft/core";
import { createAnswerBatch, createTrainableDecoder, loadDecoder, openPrompt } from "@rag-ft/models";
import { type PassageScores, readPassageScores } from "@rag-ft/retrieval";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scorePassages } from "./index.js";

const DECODER = fileURLToPath(new URL("../../../data/models/tiny-decoder", import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const SUBJECTS = [
  ["timeout", "It gives the milliseconds after which a request ends."],
  ["retries", "It sets how often a request that failed is sent again."],
  ["proxy", "It names the server that all requests are sent through."],
  ["cookies", "It says whether cookies are kept between two requests."],
  ["streaming", "It lets large files be read while they are still being sent."],
] as const;
const DOCUMENTS = SUBJECTS.map(([name, text]) =>
  createDocument(`The option ${name}. ${text}`, { source: `${name}.md`, title: name }),
);

let folder: string;
const at = (name: string): string => join(folder, name);
const row = (i: number) => ({
  gold_docs: [DOCUMENTS[i]],
  hard_neg_docs: [1, 2, 3].map((by) => DOCUMENTS[(i + by) % DOCUMENTS.length]),
  chat_history: [],
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-likelihoods-"));
  await writeJsonl(at("documents.jsonl"), DOCUMENTS);
  await writeJsonl(
    at("train_w_qa.jsonl"),
    SUBJECTS.map(([name, text], i) => ({ ...row(i), question: `What does ${name} do?`, gold_answer: text })),
  );
  await writeJsonl(
    at("train_w_q.jsonl"),
    SUBJECTS.map(([name], i) => ({ ...row(i), questions: [`What does ${name} do?`] })),
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const settings = (output: string, more: Record<string, unknown> = {}) =>
  scorePassages.settings.parse({
    question_files: at("train_w_qa.jsonl"),
    document_path: at("documents.jsonl"),
    output_file: at(output),
    qa_model_name_or_path: DECODER,
    candidates: "rows",
    ...more,
  });

const rowsOf = async (name: string): Promise<PassageScores[]> =>
  (await readPassageScores(at(name))).map((numbered) => numbered.row);

describe("score-passages with a generator", { timeout: 180_000 }, () => {
  it("a score is the mean log-likelihood of the answer's tokens in the prompt of training", async () => {
    const { figures } = await scorePassages.run(settings("scores.jsonl"), context);
    const rows = await rowsOf("scores.jsonl");
    expect(rows.map(({ scored_by }) => scored_by.kind)).toEqual(SUBJECTS.map(() => "generator"));
    expect(figures).toMatchObject({ questions: 5, passages: 20 });
    // The answer is in the gold passage, and this model was made to copy.
    expect(figures?.gold_is_best).toBe(1);

    const decoder = await loadDecoder(DECODER, context);
    const { encode, padId } = decoder.tokenizer;
    const { prompt } = await openPrompt(DECODER, decoder.tokenizer, {}, silentReporter);
    const model = await createTrainableDecoder(decoder);
    for (const place of [0, 2]) {
      const passage = DOCUMENTS[(1 + place) % DOCUMENTS.length] as Document;
      expect(rows[1]?.passages[place]?.id).toBe(documentId(passage));
      const answer = encode(buildAnswer(prompt as PromptFormat, SUBJECTS[1][1]), { special: false });
      const example = {
        prompt: encode(buildPrompt(prompt as PromptFormat, [passage], "What does retries do?")),
        answer,
      };
      const loss = await model.loss(createAnswerBatch([example], padId, 1 / answer.length));
      expect(rows[1]?.passages[place]?.score).toBeCloseTo(-loss, 4);
    }
    await model.close();
  });

  it("keeps what has not changed: another answer is scored anew, and so are other tokens of a passage that is cut", async () => {
    expect((await scorePassages.run(settings("scores.jsonl"), context)).figures?.kept).toBe(5);
    await writeJsonl(
      at("answered_w_qa.jsonl"),
      SUBJECTS.map(([name, text], i) => ({
        ...row(i),
        question: `What does ${name} do?`,
        gold_answer: i === 2 ? "Nobody knows." : i === 3 ? `${text.slice(0, -1)} [1].` : text,
        // Without its citations it is the same answer.
        citations: i === 3,
      })),
    );
    const before = await rowsOf("scores.jsonl");
    const changed = settings("scores.jsonl", { question_files: at("answered_w_qa.jsonl") });
    expect((await scorePassages.run(changed, context)).figures?.kept).toBe(4);
    const after = await rowsOf("scores.jsonl");
    expect(after.filter((one, i) => one.key !== before[i]?.key)).toHaveLength(1);
    expect(after[2]?.passages[0]?.score).toBeLessThan(before[2]?.passages[0]?.score as number);

    const cut = settings("scores.jsonl", { max_seq_length: 80 });
    expect((await scorePassages.run(cut, context)).figures?.kept).toBe(0);
    const short = await rowsOf("scores.jsonl");
    expect(short[0]?.passages[0]?.score).not.toBeCloseTo(before[0]?.passages[0]?.score as number, 3);
  });

  it("says what is wrong before it scores", async () => {
    const run = (more: Record<string, unknown>) => scorePassages.run(settings("wrong.jsonl", more), context);
    await expect(run({ question_files: at("train_w_q.jsonl") })).rejects.toThrow(
      /train_w_q\.jsonl: 5 of 5 questions have no gold answer, such as "What does timeout do\?".*\(\*_w_qa\.jsonl\)/,
    );
    // Both files: the answers of the one are those of the same questions in the other.
    const both = `${at("train_w_q.jsonl")},${at("train_w_qa.jsonl")}`;
    expect((await run({ question_files: both })).figures?.questions).toBe(5);
    await expect(run({ max_seq_length: 20 })).rejects.toThrow(
      /prompt and answer alone are longer than 20 tokens\. Raise max_seq_length/,
    );
    await expect(run({ max_seq_length: 5000 })).rejects.toThrow(/max_seq_length is 5000, but the model takes at most/);
    await expect(run({ qa_model_name_or_path: at("nowhere") })).rejects.toThrow(/nowhere/);
  });
});
