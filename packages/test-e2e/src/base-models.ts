import { join } from "node:path";
import { DataError, type Reporter, readTextIfThere, recordName, UserError } from "@rag-ft/core";
import { z } from "zod";
import type { ComparedModels } from "./cells.js";
import type { TestE2eSettings } from "./settings.js";

const recordSchema = z.looseObject({ settings: z.record(z.string(), z.unknown()) });

/** The model that a training stage started from, by the run record in its output folder; undefined when there is none. */
async function recordedBase(folder: string, stage: string, setting: string): Promise<string | undefined> {
  const path = join(folder, recordName(stage));
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  try {
    const name = recordSchema.parse(JSON.parse(text)).settings[setting];
    return typeof name === "string" && name !== "" ? name : undefined;
  } catch (cause) {
    throw new DataError(
      `${path}: not a run record of ${stage}. Name the base model by its flag, or run ${stage} again.`,
      {
        cause,
      },
    );
  }
}

/**
 * Base and tuned model of each half: as the flags say, else as the run record beside the tuned model says. A half without either is
 * taken as not tuned, and a line says so.
 *
 * @throws UserError when no base model is known at all.
 */
async function findBaseModels(settings: TestE2eSettings, reporter: Reporter): Promise<ComparedModels> {
  const tuned = { retriever: settings.embedding_model_name_or_path, generator: settings.qa_model_name_or_path };
  const base = {
    // BM25 is the same before and after tuning.
    retriever:
      settings.retrieval === "bm25"
        ? tuned.retriever
        : (settings.base_embedding_model_name_or_path ??
          (await recordedBase(tuned.retriever, "train-retriever", "model_path"))),
    generator:
      settings.base_qa_model_name_or_path ??
      (await recordedBase(tuned.generator, "train-generator", "model_name_or_path")),
  };
  const flags = { retriever: "base_embedding_model_name_or_path", generator: "base_qa_model_name_or_path" };
  const halves = ["retriever", "generator"] as const;
  if (halves.every((half) => base[half] === undefined || base[half] === tuned[half])) {
    throw new UserError(
      "compare_base: no base model is known. Expected --base_embedding_model_name_or_path or --base_qa_model_name_or_path, " +
        `or a tuned model's folder with its run record (${recordName("train-retriever")}, ${recordName("train-generator")}); ` +
        `found neither for ${tuned.retriever} nor for ${tuned.generator}.`,
    );
  }
  for (const half of halves) {
    if (half === "retriever" && settings.retrieval === "bm25") continue;
    reporter.info(
      base[half] === undefined || base[half] === tuned[half]
        ? `${half}: taken as not tuned, since no base model of ${tuned[half]} is known (--${flags[half]} names one).`
        : `${half}: ${base[half]} (base) against ${tuned[half]} (tuned).`,
    );
  }
  return {
    retriever: { base: base.retriever ?? tuned.retriever, tuned: tuned.retriever },
    generator: { base: base.generator ?? tuned.generator, tuned: tuned.generator },
  };
}

/** The same, without a base where none is to be compared. */
export async function comparedModels(settings: TestE2eSettings, reporter: Reporter): Promise<ComparedModels> {
  if (settings.compare_base) return findBaseModels(settings, reporter);
  const { embedding_model_name_or_path: retriever, qa_model_name_or_path: generator } = settings;
  return {
    retriever: { base: retriever, tuned: retriever },
    generator: { base: generator, tuned: generator },
  };
}

/** The flags that name these base models. */
export function baseSettings({ retriever, generator }: ComparedModels): Partial<TestE2eSettings> {
  return { base_embedding_model_name_or_path: retriever.base, base_qa_model_name_or_path: generator.base };
}
