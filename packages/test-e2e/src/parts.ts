import { join } from "node:path";
import { type OpenedGenerator, openGenerator, type TalliedContext, weightsIdentity } from "@rag-ft/answer";
import type { AnyPrompt, StageContext } from "@rag-ft/core";
import { type LanguageModel, openLanguageModel, resolveModelName } from "@rag-ft/llm";
import { resolveModelFolder } from "@rag-ft/models";
import { openPassageEncoder, type PassageEncoder, VECTORS_FOLDER } from "@rag-ft/retrieval";
import type { TestE2eSettings } from "./settings.js";

/** What the stage opens; tests put their own in. */
export interface TestE2eParts {
  openEncoder(settings: TestE2eSettings, context: TalliedContext): Promise<PassageEncoder>;
  /** Fails for a name that can be no generator's, before anything is paid for. */
  checkGenerator(name: string, context: StageContext): Promise<void>;
  openGenerator(settings: TestE2eSettings, context: TalliedContext, fallback?: AnyPrompt): Promise<OpenedGenerator>;
  openJudge(settings: TestE2eSettings, context: TalliedContext): Promise<LanguageModel>;
}

/** Names of OpenAI's models that a date pins, such as `gpt-4.1-2025-04-14` or `gpt-4-0613`. */
const PINNED = /-(\d{4}-\d{2}-\d{2}|\d{4})$/;

async function openJudge(settings: TestE2eSettings, context: TalliedContext): Promise<LanguageModel> {
  const { env, reporter, signal } = context;
  const found = await resolveModelName(settings.judge_model, env);
  const model = await openLanguageModel(settings.judge_model, {
    ...context,
    device: settings.device,
    requests: settings,
    folder: settings.output_dir,
  });
  if (found.kind === "local") {
    const folder = await resolveModelFolder(found.folderOrId, { env, reporter, signal, files: "all" });
    // Part of the store's key: other weights in the same folder never judge by old verdicts.
    return { ...model, name: `${model.name}@${(await weightsIdentity(folder)).slice(0, 12)}` };
  }
  if (!env.OPENAI_BASE_URL && !PINNED.test(found.model))
    reporter.warn(
      `judge_model: OpenAI may change what "${found.model}" stands for; a name with a date does not change.`,
    );
  return model;
}

export const defaultParts: TestE2eParts = {
  openEncoder: (settings, context) =>
    openPassageEncoder(settings.embedding_model_name_or_path, {
      ...context,
      device: settings.device,
      truncateDim: settings.truncate_dim,
      requests: settings,
      keepIn: settings.index_path ?? join(settings.output_dir, VECTORS_FOLDER),
    }),
  async checkGenerator(name, { env }) {
    await resolveModelName(name, env);
  },
  openGenerator,
  openJudge,
};
