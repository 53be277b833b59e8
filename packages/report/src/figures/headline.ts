import type { System } from "../read/system.js";

export interface Metric {
  /** Name in score.json. */
  name: string;
  title: string;
  /** What it measures. */
  part: "retriever" | "generator" | "answers";
  /** Whether it lies in [0, 1] and more is better, so that it may be drawn beside the others. */
  share: boolean;
}

const metric = (part: Metric["part"], name: string, title: string, share = true): Metric => ({
  part,
  name,
  title,
  share,
});

const GENERATION: readonly Metric[] = [
  metric("generator", "test_gen/gpt4_acc", "judged correct"),
  metric("generator", "test_gen/rougeL", "ROUGE-L"),
  metric("generator", "test_gen/f1", "F1"),
  metric("generator", "test_gen/exact_match", "exact match"),
  metric("answers", "test_gen/answer_length", "words an answer", false),
  metric("answers", "test_gen/latency_s", "seconds an answer", false),
];

const RECALL = /^test_retr\/document_recall\/recall(\d+)$/;
const NDCG = /^test_retr\/ndcg\/ndcg(\d+)$/;

/** Depths k at which a system's figures give recall@k, in order. */
export function recallDepths({ figures }: Pick<System, "figures">): number[] {
  return [...figures.keys()]
    .flatMap((name) => RECALL.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** The figures that a reader looks for first, those only that a system has: recall, MRR, nDCG, then the answers'. */
export function headlineMetrics(systems: readonly Pick<System, "figures">[]): Metric[] {
  const depths = [...new Set(systems.flatMap(recallDepths))].sort((a, b) => a - b);
  const ndcg = systems.flatMap(({ figures }) => [...figures.keys()].flatMap((name) => NDCG.exec(name)?.[1] ?? []));
  const deepest = Math.max(...ndcg.map(Number));
  const all = [
    ...depths.map((k) => metric("retriever", `test_retr/document_recall/recall${k}`, `recall@${k}`)),
    ...depths.map((k) => metric("retriever", `test_retr/near_recall/recall${k}`, `near@${k}`)),
    metric("retriever", "test_retr/mrr", "MRR"),
    ...(ndcg.length > 0 ? [metric("retriever", `test_retr/ndcg/ndcg${deepest}`, `nDCG@${deepest}`)] : []),
    ...GENERATION,
  ];
  return all.filter(({ name }) => systems.some(({ figures }) => figures.has(name)));
}
