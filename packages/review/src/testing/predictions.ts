import { createDocument, type Prediction } from "@rag-ft/core";

/** Text that would break a page that does not escape it. */
export const HOSTILE = `</script><script>globalThis.hacked = true</script>`;

const passage = (name: string) =>
  createDocument(`passage ${name} one two three`, { source: `https://docs.test/${name}` });

/** Predictions of a small test; the first answer is hostile. */
export function predictionsOf(count: number): Prediction[] {
  return Array.from({ length: count }, (_, i) => ({
    question: `question ${i}?`,
    gold_docs: [passage(String(i))],
    retrieved_docs: [passage(String(i)), passage("other")],
    gold_answer: "one two three",
    generated_answer: i === 0 ? HOSTILE : `answer ${i}`,
    chat_history: [],
    judge: { verdict: "incorrect", reply: "the judge's opinion" },
  }));
}
