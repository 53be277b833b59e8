import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  formatTable,
  linkFileAtomic,
  type StageContext,
  type StageResult,
  signed,
  writeFolderAtomic,
  writeJsonAtomic,
} from "@rag-ft/core";
import type { EngineResult } from "@rag-ft/engines";
import { type CardFacts, type Choice, promoteCheckpoint, writeChoice, writeModelCard } from "@rag-ft/fine-tune";
import { copyModelSideFiles, type DecoderOutline, type OpenedPrompt, resolveModelFolder } from "@rag-ft/models";
import { checkpointFolder } from "@rag-ft/train";
import { savePrompt } from "./save-prompt.js";
import type { TrainGeneratorSettings } from "./settings.js";

const WEIGHTS = /^model(-\d+-of-\d+)?\.safetensors(\.index\.json)?$/;

interface Asked {
  outline: DecoderOutline;
  asked: OpenedPrompt;
  card: CardFacts;
}

/** Base and result by the engine's own loss on the eval questions; undefined where it did not evaluate both. */
function chooseByEngine({ log, step }: EngineResult): Choice | undefined {
  const lossAt = (at: number): number | undefined => {
    const line = log.find((one) => one.step === at && typeof one.eval_loss === "number");
    return line?.eval_loss as number | undefined;
  };
  const [before, after] = [lossAt(0), lossAt(step)];
  if (before === undefined || after === undefined) return undefined;
  const tuned = { step, figures: { eval_loss: after }, values: [] };
  const base = { step: 0, figures: { eval_loss: before }, values: [] };
  const change = `loss on the eval questions ${before.toFixed(3)} to ${after.toFixed(3)} (${signed(after - before)}), as the engine measured it, without interval`;
  return after < before
    ? { kept: tuned, candidates: [tuned], difference: undefined, verdict: `Step ${step} beats the base: ${change}.` }
    : {
        kept: base,
        candidates: [tuned],
        difference: undefined,
        verdict: `No checkpoint beat the base: ${change}. The base is kept.`,
      };
}

/** Configuration and tokenizer of the base, the type of the weights being what they have. */
async function writeSideFiles(from: string, weights: string, to: string): Promise<void> {
  await copyModelSideFiles(from, to);
  const { dtype, torch_dtype = dtype } = JSON.parse(await readFile(join(weights, "config.json"), "utf8"));
  const path = join(to, "config.json");
  const config = JSON.parse(await readFile(path, "utf8"));
  if (torch_dtype !== undefined) await writeJsonAtomic(path, { ...config, torch_dtype });
}

/**
 * Makes what came back the stage's model without reading its weights into memory: files are taken over as they are, the engine's own loss chooses between
 * base and result. The prompt's format, the card and choice.json are those of a training here; test.json there is none.
 */
export async function adoptAsIs(
  settings: TrainGeneratorSettings,
  { outline, asked, card }: Asked,
  result: EngineResult,
  context: StageContext,
): Promise<StageResult> {
  const { output_dir, model_name_or_path } = settings;
  const choice = chooseByEngine(result);
  const kept = choice?.kept ?? { step: result.step, figures: undefined };
  const weights =
    kept.step > 0 ? result.folder : await resolveModelFolder(model_name_or_path, { ...context, files: "all" });
  const checkpoint = checkpointFolder(output_dir, kept.step);
  await writeFolderAtomic(checkpoint, async (temporary) => {
    await writeSideFiles(outline.folder, weights, temporary);
    for (const name of (await readdir(weights)).filter((file) => WEIGHTS.test(file)))
      await linkFileAtomic(join(weights, name), join(temporary, name));
    await savePrompt(temporary, asked, outline.tokenizer, context.reporter);
  });
  await promoteCheckpoint(checkpoint, output_dir);
  await writeChoice(output_dir, choice, "eval_loss");
  const about = { settings, modelName: model_name_or_path, baseFolder: outline.folder, facts: card, choice, kept };
  await writeModelCard(about, context);
  const rows = [0, result.step].flatMap((step) => {
    const figures = result.log.find((line) => line.step === step && typeof line.eval_loss === "number");
    return figures
      ? [{ split: "eval", model: step === 0 ? "base" : `step ${step}`, loss: Number(figures.eval_loss) }]
      : [];
  });
  return {
    outputs: [output_dir],
    ...(kept.figures ? { figures: kept.figures } : {}),
    summary: `${formatTable(rows, ["split", "model", { key: "loss", digits: 4 }])}\n${choice?.verdict ?? "The engine did not evaluate: its last step is kept."}`,
  };
}
