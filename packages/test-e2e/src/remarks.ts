import { mean } from "@rag-ft/metrics";
import type { Answer } from "./answer-questions.js";

/** What happened on the way to the answers: time, failures, cuts. */
export function generationFigures(answers: readonly Answer[]): Record<string, number> {
  const countOf = (check: (answer: Answer) => boolean): number => answers.filter(check).length;
  const seconds = answers.flatMap((answer) => (answer.seconds === undefined ? [] : [answer.seconds]));
  return {
    ...(seconds.length > 0 ? { latency_s: mean(seconds) } : {}),
    failed_answers: countOf((answer) => answer.error !== undefined),
    cut_answers: countOf((answer) => answer.finish_reason === "length"),
    prompts_without_all_passages: countOf((answer) => answer.dropped_passages > 0),
    dropped_passages: answers.reduce((sum, answer) => sum + answer.dropped_passages, 0),
  };
}

/** Says what the means do not show. */
export function remarks(
  figures: Readonly<Record<string, number>>,
  count: number,
  failures: readonly string[],
): string[] {
  const of = (name: string): number => figures[name] ?? 0;
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
  return lines;
}
