// What a reranker adds on Faire's questions, by folds with no source in two of them: pnpm bench rerank-folds. In each fold a reranker is trained from
// an encoder on three parts, its checkpoint and its weight are chosen on a fourth, and what is reported is the fifth. With `--quality` the retriever is
// trained too (configs/retriever.yaml) and searched both alone and reordered by the same reranker. Goes on where it stopped.
import { openFolds, RERANKER, reportFolds } from "./faire-folds.mjs";
import { flags, requireModel } from "./tools.mjs";

const encoder = requireModel("encoder");
const { folds, at, train, test, tunedRetriever } = await openFolds("rerank-folds");
const found = folds.map(() => ({}));
for (const i of folds.keys()) {
  const fold = i + 1;
  const reranker = at("reranker", fold);
  train(
    "train-reranker",
    fold,
    { model_path: encoder, embedding_model: encoder, retrieval: "hybrid", ...RERANKER },
    reranker,
  );
  Object.assign(found[i], test(fold, { model_path: encoder, label: "base", reranker }, at("test", fold)));
}
if (flags.quality) {
  for (const i of folds.keys()) {
    const fold = i + 1;
    const retriever = at("retriever", fold);
    tunedRetriever(fold, encoder, retriever);
    const how = { model_path: retriever, label: "tuned", reranker: at("reranker", fold) };
    Object.assign(found[i], test(fold, how, at("test-tuned", fold)));
  }
}

/** A fold in which the search alone was kept has no reordered system: there it is the search. */
const NAMES = {
  "e5 hybrid": (figures) => figures["base + 0.5 BM25"],
  "e5 hybrid, reordered": (figures) => figures["base + 0.5 BM25, 20 reranked"] ?? figures["base + 0.5 BM25"],
  ...(flags.quality && {
    "tuned hybrid": (figures) => withPrefix(figures, /^tuned \+ [\d.]+ BM25$/),
    "tuned hybrid, reordered": (figures) =>
      withPrefix(figures, /^tuned \+ [\d.]+ BM25, \d+ reranked$/) ?? withPrefix(figures, /^tuned \+ [\d.]+ BM25$/),
  }),
};

function withPrefix(figures, pattern) {
  const label = Object.keys(figures).find((name) => pattern.test(name));
  return label === undefined ? undefined : figures[label];
}

reportFolds(
  folds,
  Object.entries(NAMES).map(([label, of]) => ({ label, rows: found.flatMap(of) })),
);
