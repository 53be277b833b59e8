import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type StageContext, UserError } from "@rag-ft/core";
import { openRag } from "./open-rag.js";
import type { OpenRagOptions, OpenSearchOptions } from "./open-rag-options.js";
import type { RagSystem } from "./rag-system.js";
import { findSystem } from "./run/find-system.js";
import type { SystemSettings } from "./system-settings.js";

/** Where `rag-ft run` writes unless its YAML says otherwise. */
const RESULTS = "result";

const PARTS = ["qa_model_name_or_path", "embedding_model_name_or_path", "document_path"] as const;

/** The run below `result` that changed last; undefined when there is none. */
async function newestRun(): Promise<string | undefined> {
  const names = await readdir(RESULTS).catch(() => []);
  const runs = await Promise.all(
    names.map(async (name) => {
      const folder = join(RESULTS, name);
      const state = await stat(join(folder, "run-state.json")).catch(() => undefined);
      return state ? [{ folder, time: state.mtimeMs }] : [];
    }),
  );
  return runs.flat().sort((a, b) => b.time - a.time)[0]?.folder;
}

/**
 * What settings name: a run's system, or named parts, which go before the run's.
 *
 * @throws UserError when a part is missing.
 */
export async function systemOptions(
  settings: Partial<SystemSettings>,
  context: Pick<StageContext, "reporter">,
): Promise<OpenRagOptions> {
  return (await namedParts(settings, context, PARTS)) as OpenRagOptions;
}

/** The same of what searches alone: a generator is not asked for. */
export async function searchOptions(
  settings: Partial<SystemSettings>,
  context: Pick<StageContext, "reporter">,
): Promise<OpenSearchOptions> {
  return namedParts(settings, context, PARTS.slice(1));
}

async function namedParts(
  { run, ...given }: Partial<SystemSettings>,
  { reporter }: Pick<StageContext, "reporter">,
  parts: readonly string[],
): Promise<OpenSearchOptions> {
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const chosen = run ?? (PARTS.some((part) => part in named) ? undefined : await newestRun());
  if (run === undefined && chosen !== undefined) reporter.info(`${chosen}: the newest run below ${RESULTS} is used`);
  const { vector_store_url, ...found } = chosen === undefined ? {} : await findSystem(chosen);
  // Another store than the run's has another place.
  const place = "vector_store" in named || vector_store_url === undefined ? {} : { vector_store_url };
  const options = { ...found, ...place, ...named };
  const words = options.retrieval === "bm25";
  const missing = parts.filter((part) => !(part in options) && !(words && part === "embedding_model_name_or_path"));
  if (missing.length > 0) {
    const names = missing.map((part) => `--${part}`).join(", ");
    throw new UserError(
      chosen === undefined
        ? `${names} missing. Give --run the folder of a run (there is none below ${RESULTS} from here), or name the parts of a system.`
        : `${chosen}: what it holds is not all of a system. Give ${names}, too.`,
    );
  }
  return { embedding_model_name_or_path: "none", ...options } as OpenSearchOptions;
}

/** Opens what settings name: see `systemOptions` and `openRag`. */
export async function openSystem(settings: SystemSettings, context: StageContext): Promise<RagSystem> {
  return openRag(await systemOptions(settings, context), context);
}
