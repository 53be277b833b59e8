import { freemem } from "node:os";
import { type Reporter, UserError } from "@rag-ft/core";
import { likeliest, loadDecoder, MOST_TEXTS, openGeneration, sampled } from "@rag-ft/models";
import type { TokenModel } from "./token-model.js";

type Env = Readonly<Record<string, string | undefined>>;

/** The part of the free memory that keys and values of texts may take when nothing is said. */
const PART_OF_MEMORY = 0.25;

const LIMIT_NAME = "RAG_FT_ANSWER_GB";

/** Bytes that keys and values of texts that are gone on with together may take. */
export function answerMemory(env: Env): number {
  const given = env[LIMIT_NAME];
  if (given === undefined || given === "") return (process.availableMemory?.() ?? freemem()) * PART_OF_MEMORY;
  const gigabytes = Number(given);
  if (!(gigabytes >= 0))
    throw new UserError(`${LIMIT_NAME} is "${given}": expected gigabytes, such as 4. Put it right or leave it out.`);
  return gigabytes * 1e9;
}

/** A decoder of one of our architectures, by its safetensors: texts that are asked for at the same time are made together. */
export async function openOwnModel(folder: string, env: Env, reporter: Reporter): Promise<TokenModel> {
  const cacheBytes = answerMemory(env);
  // Not kept: the compiled graph has the weights.
  const generation = await openGeneration(await loadDecoder(folder, { env, reporter }), { cacheBytes });
  return {
    concurrency: MOST_TEXTS,
    continue: ({ ends, temperature, seed, ...text }) =>
      generation.continue({
        ...text,
        ends: new Set(ends),
        choose: temperature > 0 ? sampled(temperature, seed) : likeliest,
      }),
    close: () => generation.close(),
  };
}
