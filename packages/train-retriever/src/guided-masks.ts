// Guided masking (GISTEmbed, Solatorio 2024), with a share of the gold passage's score for the limit: a passage that the base model finds as good
// an answer as the gold one, or nearly, is taken for an answer that nobody marked, and is no negative.
import { type Document, distinctDocuments, documentKey, retrievalQuery } from "@rag-ft/core";
import type { RetrievalExample } from "@rag-ft/retrieval";
import { innerProduct, likelyLimit, type PassageEncoder } from "@rag-ft/retrieval";
import type { IsLikely } from "./masks.js";

export interface GuideOptions {
  /** From this share of the gold passage's score on a passage is a likely answer. */
  margin: number;
  /** Whether hard negatives are compared with questions too, or gold passages alone. */
  withHardNegatives: boolean;
  /** What else may stand in a step. */
  further?: readonly Document[];
  signal: AbortSignal;
}

/** Vectors by the text they are of. */
async function vectorsOf(
  encoder: PassageEncoder,
  texts: readonly string[],
  kind: "query" | "passage",
  signal: AbortSignal,
): Promise<Map<string, Float32Array>> {
  const distinct = [...new Set(texts)];
  const all = await encoder.embed(distinct, kind, { signal });
  const d = encoder.dimensions;
  return new Map(distinct.map((text, i) => [text, all.subarray(i * d, (i + 1) * d)]));
}

/** Embeds all that the examples can bring together, once; batches then only compare. */
export async function likelyAnswersOf(
  examples: readonly RetrievalExample[],
  encoder: PassageEncoder,
  { margin, withHardNegatives, further = [], signal }: GuideOptions,
): Promise<IsLikely> {
  const own = examples.flatMap(({ gold_docs, hard_neg_docs }) => [
    ...gold_docs,
    ...(withHardNegatives ? hard_neg_docs : []),
  ]);
  const documents = distinctDocuments([...own, ...further]);
  const passages = await vectorsOf(
    encoder,
    documents.map(({ fmt_content }) => fmt_content),
    "passage",
    signal,
  );
  const questions = await vectorsOf(encoder, examples.map(retrievalQuery), "query", signal);
  const score = (question: string, { fmt_content }: Document): number => {
    const [query, passage] = [questions.get(question), passages.get(fmt_content)];
    return query && passage ? innerProduct(query, passage) : -Infinity;
  };
  return (example, passage) => {
    const { gold_docs } = example;
    const question = retrievalQuery(example);
    if (gold_docs.some((gold) => documentKey(gold) === documentKey(passage))) return false;
    const gold = Math.max(...gold_docs.map((own) => score(question, own)));
    return score(question, passage) >= likelyLimit(gold, margin);
  };
}
