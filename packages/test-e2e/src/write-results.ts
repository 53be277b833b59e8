import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type AnyPrompt, BY_KIND_FILE, withoutSecrets, writeJsonAtomic, writeJsonl } from "@rag-ft/core";
import type { LanguageModel } from "@rag-ft/llm";
import { flatKinds, intervalName } from "@rag-ft/metrics";
import { JUDGE_MAX_NEW_TOKENS } from "./ask-judge.js";
import type { CellResult } from "./evaluate-cell.js";

import { FAITHFULNESS_PROMPT_SHA256 } from "./faithfulness-judge.js";
import { JUDGE_PROMPT_SHA256 } from "./judge-prompt.js";
import type { TestE2eSettings } from "./settings.js";

/** Name under which a judge's figures are kept. */
const ACCURACY = "test_gen/gpt4_acc";

/** How often each outcome came. */
const counted = (outcomes: readonly { verdict: string }[], names: readonly string[]): Record<string, number> =>
  Object.fromEntries(names.map((name) => [name, outcomes.filter(({ verdict }) => verdict === name).length]));

/** How the judge was asked, and what came of it. */
function judgeRecord(
  { score, judgements, faithfulness, agreement }: CellResult,
  settings: TestE2eSettings,
  judge: LanguageModel,
) {
  const withInterval = (name: string): object | undefined =>
    score[name] === undefined ? undefined : { value: score[name], ci95: score[intervalName(name)] };
  return {
    judge_model: judge.name,
    provider: judge.provider,
    ...(judgements ? { prompt_sha256: JUDGE_PROMPT_SHA256 } : {}),
    temperature: 0,
    max_new_tokens: JUDGE_MAX_NEW_TOKENS,
    seed: settings.seed,
    ...(judgements
      ? {
          repeats: settings.judge_repeats,
          verdicts: counted(judgements, ["correct", "incorrect", "unparsed", "failed"]),
          /** Over parsed verdicts; the bounds take all others as wrong, or as right. */
          accuracy: withInterval(ACCURACY),
          accuracy_low: withInterval(`${ACCURACY}_low`),
          accuracy_high: withInterval(`${ACCURACY}_high`),
          flip_rate: withInterval("test_gen/gpt4_flip_rate"),
        }
      : {}),
    ...(faithfulness
      ? {
          faithfulness: {
            prompt_sha256: FAITHFULNESS_PROMPT_SHA256,
            verdicts: counted(faithfulness, ["faithful", "unfaithful", "unparsed", "failed"]),
            share: withInterval("test_gen/gpt4_faithful"),
          },
        }
      : {}),
    ...(agreement ? { agreement } : {}),
  };
}

/** Writes one cell's files into its folder; returns their paths. */
export async function writeCell(
  result: CellResult,
  settings: TestE2eSettings,
  format: AnyPrompt,
  judge: LanguageModel | undefined,
): Promise<string[]> {
  const path = (name: string): string => join(settings.output_dir, result.cell.folder, name);
  const outputs = ["test-predictions.jsonl", "score.json", "all_args.json"].map(path);
  const cell = result.cell.folder === "." ? {} : { cell: result.cell.name };
  await writeJsonl(path("test-predictions.jsonl"), result.predictions);
  await writeJsonAtomic(path("all_args.json"), { ...withoutSecrets({ ...settings }), ...cell, prompt_format: format });
  if (judge) {
    await writeJsonAtomic(path("judge.json"), judgeRecord(result, settings, judge));
    outputs.push(path("judge.json"));
  } else await rm(path("judge.json"), { force: true });
  if (result.kinds.length > 0) {
    await writeJsonAtomic(path(BY_KIND_FILE), flatKinds(result.kinds));
    outputs.push(path(BY_KIND_FILE));
  } else await rm(path(BY_KIND_FILE), { force: true });
  // Last: where it stands, the rest does too.
  await writeJsonAtomic(path("score.json"), result.score);
  return outputs;
}
