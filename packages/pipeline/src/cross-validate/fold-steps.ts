import { join } from "node:path";
import { InternalError } from "@rag-ft/core";
import type { AnyStage, SettingValues } from "../any-stage.js";
import { parseSettings } from "../parse-settings.js";
import type { PreparedStep } from "../run/run-step.js";
import type { CrossValidateSettings } from "./settings.js";
import type { Variant } from "./variants.js";

/** The two stages that do a fold's work. */
export interface FoldStages {
  trainRetriever: AnyStage;
  testRetriever: AnyStage;
}

function prepared(id: string, stage: AnyStage, given: SettingValues): PreparedStep {
  const parsed = parseSettings(stage, given);
  if (parsed.problems)
    throw new InternalError(
      `${stage.name}: ${parsed.problems.map(({ key, message }) => `${key}: ${message}`).join("; ")}`,
    );
  return { id, stage, values: parsed.values };
}

/** The files of a fold. `part`: another set in the place of all training questions. */
export const foldFile = (output: string, fold: number, part: string): string =>
  join(output, "folds", String(fold), `${part}_w_q.jsonl`);

export const modelFolder = (output: string, { folder }: Variant, fold: number): string =>
  join(output, folder, `fold-${fold}`);

export const testFolder = (output: string, variant: Variant, fold: number): string =>
  `${modelFolder(output, variant, fold)}-test`;

const OWN = [
  "question_files",
  "folds",
  "estimate_only",
  "output_dir",
  "learning_curve",
  "time_budget",
  "foreign_question_files",
  "foreign_dataset_file_path",
] as const;

const tested = (settings: CrossValidateSettings) => ({
  retrieval: "hybrid",
  index_path: join(settings.output_dir, "index"),
  device: settings.device,
  seed: settings.seed,
});

/** A training of a fold and its test. */
export function foldSteps(
  settings: CrossValidateSettings,
  { trainRetriever, testRetriever }: FoldStages,
  { variant, fold, train = "train" }: { variant: Variant; fold: number; train?: string },
): [PreparedStep, PreparedStep] {
  const { output_dir } = settings;
  const common: Record<string, unknown> = { ...settings };
  for (const name of OWN) delete common[name];
  const model = modelFolder(output_dir, variant, fold);
  const id = `${variant.folder}/fold-${fold}`;
  const given = {
    ...common,
    // Lists of which the variant has one value each, or none.
    temperature: undefined,
    ...variant.settings,
    train_file: foldFile(output_dir, fold, train),
    eval_file: foldFile(output_dir, fold, "eval"),
    output_dir: model,
    index_path: join(output_dir, "index"),
  };
  return [
    prepared(id, trainRetriever, given as SettingValues),
    prepared(`${id}/test`, testRetriever, {
      ...tested(settings),
      model_path: [settings.model_path, model],
      label: ["base", "tuned"],
      document_path: settings.full_dataset_file_path,
      eval_data_path: foldFile(output_dir, fold, "test"),
      output_dir: testFolder(output_dir, variant, fold),
    }),
  ];
}

/** The base and a recipe's models of all folds on questions of another field, a file each. */
export function foreignSteps(
  settings: CrossValidateSettings,
  { testRetriever }: FoldStages,
  recipe: Variant,
  files: readonly string[],
): PreparedStep[] {
  const folds = Array.from({ length: settings.folds }, (_, i) => i + 1);
  return files.map((file, i) =>
    prepared(`foreign-${i + 1}`, testRetriever, {
      ...tested(settings),
      model_path: [settings.model_path, ...folds.map((fold) => modelFolder(settings.output_dir, recipe, fold))],
      label: ["base", ...folds.map((fold) => `fold-${fold}`)],
      document_path: settings.foreign_dataset_file_path as string,
      eval_data_path: file,
      output_dir: join(settings.output_dir, `foreign-${i + 1}`),
    }),
  );
}
