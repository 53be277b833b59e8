import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type AnyPrompt,
  choosePromptFormat,
  DataError,
  hashText,
  requireFile,
  type StageContext,
  serverIdentity,
} from "@rag-ft/core";
import {
  type ChatMessage,
  encodeUpTo,
  explicitName,
  openLanguageModel,
  type RequestTally,
  resolveModelName,
} from "@rag-ft/llm";
import { loadTokenizer, openPrompt, resolveModelFolder } from "@rag-ft/models";
import { z } from "zod";
import { type AnswerOptions, chatGenerator, type Generator, promptGenerator } from "./generator.js";
import type { GeneratorRequests, GeneratorSettings } from "./generator-settings.js";
import { weightsIdentity } from "./weights-identity.js";

const configSchema = z.looseObject({
  max_position_embeddings: z.number().int().positive().optional().catch(undefined),
});

/** The longest context that a decoder's config.json declares; undefined when it says nothing. */
async function contextLimit(folder: string): Promise<number | undefined> {
  const path = join(folder, "config.json");
  await requireFile(path, "the configuration of a decoder");
  try {
    return configSchema.parse(JSON.parse(await readFile(path, "utf8"))).max_position_embeddings;
  } catch (cause) {
    throw new DataError(`${path}: not a JSON object. Expected the configuration of a decoder; fetch the model anew.`, {
      cause,
    });
  }
}

export interface OpenedGenerator {
  generator: Generator;
  /** How it is asked. */
  format: AnyPrompt;
}

/** What stands for a model behind an API in the store's keys. */
export function apiIdentity(model: string, env: StageContext["env"]): string {
  return `openai:${serverIdentity(env)}:${model}`;
}

export function answerOptions(
  settings: Pick<GeneratorSettings, "max_new_tokens" | "request_timeout" | "seed">,
): AnswerOptions {
  return {
    max_new_tokens: settings.max_new_tokens,
    timeout_ms: settings.request_timeout * 1000,
    seed: settings.seed,
  };
}

/** The context, and where requests are counted. */
export interface TalliedContext extends StageContext {
  tally: RequestTally;
}

/**
 * Opens the generator that the settings name, asked as it was trained: by flags, as saved with the checkpoint, by its own chat template. One
 * that has none of these is asked in `fallback`, where one is given, else in the plain format.
 */
export async function openGenerator(
  settings: GeneratorSettings & Partial<GeneratorRequests>,
  context: TalliedContext,
  fallback?: AnyPrompt,
): Promise<OpenedGenerator> {
  const { env, reporter, signal, tally } = context;
  const { device } = settings;
  const answer = { ...answerOptions(settings), signal };
  const name = await resolveModelName(settings.qa_model_name_or_path, env);
  if (name.kind === "openai") {
    const format = choosePromptFormat(undefined, settings);
    const model = await openLanguageModel(explicitName(name), {
      env,
      reporter,
      signal,
      requests: settings,
      tally,
      folder: settings.output_dir,
    });
    const identity = apiIdentity(name.model, env);
    return { generator: chatGenerator(model, identity, format, answer), format };
  }
  const folder = await resolveModelFolder(name.folderOrId, { env, reporter, files: "all" });
  // First of all, since a folder without it is no model's.
  const limit = await contextLimit(folder);
  const tokenizer = await loadTokenizer(folder);
  const { prompt, chat } = await openPrompt(folder, tokenizer, settings, reporter, fallback);
  const max_tokens = Math.min(settings.max_seq_length, limit ?? settings.max_seq_length);
  const weights = `local:${await weightsIdentity(folder)}`;
  const model = await openLanguageModel(`local:${name.folderOrId}`, { env, reporter, signal, device });
  if (chat) {
    const thinking = prompt.enable_thinking;
    const count = (messages: readonly ChatMessage[]): number =>
      encodeUpTo((text) => tokenizer.encode(text, { special: false }), chat.prompt(messages, { thinking }), max_tokens)
        .length;
    const asked = { ...answer, ...(thinking ? { thinking } : {}) };
    const identity = `${weights}:${hashText(chat.source)}`;
    return {
      generator: chatGenerator(model, identity, prompt, asked, { count, max_tokens }),
      format: prompt,
    };
  }
  const budget = { count: (text: string): number => encodeUpTo(tokenizer.encode, text, max_tokens).length, max_tokens };
  return {
    generator: promptGenerator(model, weights, prompt, budget, answer, tokenizer.asText),
    format: prompt,
  };
}
