import type { Answer } from "@rag-ft/answer";
import { intervalName } from "@rag-ft/metrics";
import type { Score } from "./score.js";

/** What happened on the way to the answers: failures and cuts. */
export function generationCounts(answers: readonly Answer[]): Record<string, number> {
  const countOf = (check: (answer: Answer) => boolean): number => answers.filter(check).length;
  return {
    failed_answers: countOf((answer) => answer.error !== undefined),
    cut_answers: countOf((answer) => answer.finish_reason === "length"),
    prompts_without_all_passages: countOf((answer) => answer.dropped_passages > 0),
    dropped_passages: answers.reduce((sum, answer) => sum + answer.dropped_passages, 0),
  };
}

/** Says what the means do not show. */
export function remarks(score: Readonly<Score>, count: number, failures: readonly string[]): string[] {
  const of = (name: string): number => (typeof score[name] === "number" ? score[name] : 0);
  const lines: string[] = [];
  if (of("test_gen/dropped_passages") > 0)
    lines.push(
      `${of("test_gen/dropped_passages")} lowest-ranked passages were left out of ` +
        `${of("test_gen/prompts_without_all_passages")} of ${count} prompts, which were too long for the model.`,
    );
  if (of("test_gen/cut_answers") > 0)
    lines.push(`${of("test_gen/cut_answers")} of ${count} answers were cut at max_new_tokens.`);
  if (of("test_gen/failed_answers") > 0)
    lines.push(`${of("test_gen/failed_answers")} of ${count} answers failed and score 0:`, ...failures);
  const missing = of("test_gen/gpt4_unparsed") + of("test_gen/gpt4_failed");
  if (missing > 0)
    lines.push(
      `${missing} of ${count} answers have no verdict (${of("test_gen/gpt4_unparsed")} unparsed, ` +
        `${of("test_gen/gpt4_failed")} failed): GPT4-Acc lies between ${of("test_gen/gpt4_acc_low").toFixed(3)} ` +
        `and ${of("test_gen/gpt4_acc_high").toFixed(3)}.`,
    );
  if (score["test_gen/gpt4_flip_rate"] !== undefined)
    lines.push(
      `The judge changed its verdict on ${share(score, "test_gen/gpt4_flip_rate")} of the answers when asked again.`,
    );
  if (score["test_gen/gpt4_labels"] !== undefined)
    lines.push(
      score["test_gen/gpt4_kappa"] === undefined
        ? `The judge agrees with people on ${share(score, "test_gen/gpt4_agreement")} of ${of("test_gen/gpt4_labels")} labelled answers; kappa is not defined, since all have the same label.`
        : `The judge agrees with people on ${share(score, "test_gen/gpt4_agreement")} of ${of("test_gen/gpt4_labels")} labelled answers: kappa ${share(score, "test_gen/gpt4_kappa")}.`,
    );
  return lines;
}

/** A figure with its interval. */
function share(score: Readonly<Score>, name: string): string {
  const [value, interval] = [score[name], score[intervalName(name)]];
  const shown = typeof value === "number" ? value.toFixed(3) : "";
  return Array.isArray(interval)
    ? `${shown} (95 % interval ${interval.map((end) => end.toFixed(3)).join(" to ")})`
    : shown;
}
