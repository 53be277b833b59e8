import { type Reporter, searchName, type UsedSearch, UserError } from "@rag-ft/core";
import { HYBRID_FILE, readHybridChoice, resolveBm25Weight } from "./hybrid-weight.js";
import type { RetrievalSettings } from "./retrieval-settings.js";

/** What is taken where nothing was chosen, as for a model of the hub. */
function unchosen(model: string, { warn }: Pick<Reporter, "warn">): UsedSearch {
  warn(
    `${model}: --retrieval auto finds no ${HYBRID_FILE} beside it, in which train-retriever leaves what its eval questions chose: searched by vectors alone`,
  );
  return { retrieval: "dense" };
}

/**
 * What the eval questions chose for a retriever: hybrid search where it beat the vectors beyond chance, with its weight; else the vectors
 * alone. Undefined where no choice is kept.
 */
async function chosenSearch(
  model: string,
  { info, warn }: Pick<Reporter, "info" | "warn">,
): Promise<UsedSearch | undefined> {
  const choice = await readHybridChoice(model);
  if (choice === undefined) return undefined;
  const dense = { retrieval: "dense" } as const;
  const { bm25_weight, over_dense: gain, chosen_by = "the figure", questions } = choice;
  if (gain === undefined && bm25_weight > 0) {
    warn(
      `${model}: its ${HYBRID_FILE} does not say whether hybrid search beats the vectors (too few eval questions, or an earlier version): searched by vectors alone`,
    );
    return dense;
  }
  const search: UsedSearch = gain?.retrieval === "hybrid" ? { retrieval: "hybrid", bm25_weight } : dense;
  const shown = (value: number): string => `${value > 0 ? "+" : ""}${value.toFixed(3)}`;
  const why = gain
    ? `hybrid search changed ${chosen_by} by ${shown(gain.gain)}, 95 % interval ${shown(gain.low)} to ${shown(gain.high)}`
    : "no weight of BM25 was better";
  const where = questions === undefined ? "" : ` on ${questions} eval questions`;
  info(`${model}: searched by ${searchName(search)}, as its ${HYBRID_FILE} chose: ${why}${where}`);
  return search;
}

/** How to search with a retriever: as the settings say, or with `auto` as was chosen for it on its eval questions. A line says which. */
export async function resolveRetrieval(
  settings: RetrievalSettings,
  model: string,
  reporter: Pick<Reporter, "info" | "warn">,
): Promise<UsedSearch> {
  const { retrieval, retrieval_choice_of: chosenFor = model } = settings;
  if (retrieval === "auto") {
    const search = await chosenSearch(chosenFor, reporter);
    if (search === undefined && chosenFor !== model)
      throw new UserError(
        `retrieval_choice_of: ${chosenFor} has no ${HYBRID_FILE}, in which train-retriever leaves what its eval questions chose (with do_eval). Name another folder, or say --retrieval dense or hybrid.`,
      );
    return search ?? unchosen(model, reporter);
  }
  if (retrieval !== "hybrid") return { retrieval };
  return { retrieval, bm25_weight: await resolveBm25Weight(settings, model, reporter) };
}
