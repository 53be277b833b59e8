import { join } from "node:path";
import { createDocument, writeJsonAtomic, writeJsonl } from "@rag-ft/core";

/** Text that would break a page that does not escape it. */
export const HOSTILE = `</script><script>globalThis.hacked = true</script><img src=x onerror="globalThis.hacked = true">`;

/** Passages of the small run; the first's text and title are hostile. */
export const PASSAGES = [
  createDocument(`${HOSTILE} one two three`, { source: "https://docs.test/a", title: HOSTILE }),
  ...["b", "c", "d"].map((name) => createDocument(`passage ${name}`, { source: `https://docs.test/${name}` })),
];

async function writeRecord(folder: string, command: string, settings: object, more: object = {}): Promise<void> {
  await writeJsonAtomic(join(folder, `manifest.${command}.json`), {
    command,
    settings: { output_dir: folder, seed: 7, ...settings },
    inputs: { "questions.jsonl": "0123abcd" },
    outputs: [folder],
    versions: { "rag-ft": "0.1.0", node: "v20.0.0" },
    started_at: "2026-01-01T00:00:00.000Z",
    seconds: 61,
    ...more,
  });
}

function prediction(i: number, ranks: readonly number[], rougeL: number, more: object): object {
  return {
    question: `question ${i}?`,
    gold_docs: [PASSAGES[i % 4]],
    retrieved_docs: ranks.map((at) => PASSAGES[at]),
    gold_answer: "one two three",
    generated_answer: i === 0 ? HOSTILE : `answer ${i}: one two three`,
    chat_history: [],
    retrieval_scores: ranks.map((_, rank) => 1 - rank / 10),
    scores: { rougeL, f1: rougeL },
    ...more,
  };
}

export interface SmallRun {
  /** Questions in each test. */
  questions?: number;
  judged?: boolean;
  intervals?: boolean;
}

/**
 * A run as the stages leave it: a trained retriever and two tests. Of four questions, base retrieves the gold passage of the
 * first only; tuned of all but the last, and answers better.
 */
export async function writeSmallRun(
  folder: string,
  { questions = 4, judged, intervals }: SmallRun = {},
): Promise<void> {
  const retriever = join(folder, "retriever");
  await writeRecord(
    retriever,
    "train-retriever",
    { model_path: "tiny", metric_for_best_model: "eval_retr/document_recall/recall4" },
    { requests: { requests_sent: 1234, cost: { cost_usd: 0.5 } } },
  );
  await writeJsonl(
    join(retriever, "train.jsonl"),
    [1, 2, 3].map((step) => ({ step, loss: 3 / step, lr: 1e-4, tokens_per_s: 100, peak_rss_mb: 50 })),
  );
  const recalls = [0.3, 0.6, 0.6];
  await writeJsonl(
    join(retriever, "eval.jsonl"),
    recalls.map((value, step) => ({ step, "eval_retr/document_recall/recall4": value })),
  );
  for (const [i, label] of ["base", "fine-tuned"].entries()) {
    const test = join(folder, `test-${i}`);
    await writeRecord(test, "test-e2e", { label }, { started_at: `2026-01-01T0${i + 1}:00:00.000Z` });
    const value = i === 0 ? 0.25 : 0.75;
    await writeJsonAtomic(join(test, "score.json"), {
      "test_retr/document_recall/recall1": value / 2,
      "test_retr/document_recall/recall2": value,
      ...(intervals ? { "test_retr/document_recall/recall2_ci95": [value - 0.2, value + 0.2] } : {}),
      "test_gen/rougeL": value,
      ...(judged ? { "test_gen/gpt4_acc": value } : {}),
      num_questions: questions,
    });
    const rows = Array.from({ length: questions }, (_, n) => {
      const found = i === 0 ? n % 4 === 0 : n % 4 !== 3;
      const ranks = found ? [(n + 1) % 4, n % 4] : [(n + 1) % 4, (n + 2) % 4];
      const right = i === 1 && n % 4 !== 3;
      const judge = { verdict: right ? "correct" : "incorrect", reply: HOSTILE };
      return prediction(n, ranks, right ? 0.9 : 0.1, judged ? { judge } : {});
    });
    await writeJsonl(join(test, "test-predictions.jsonl"), rows);
  }
}
