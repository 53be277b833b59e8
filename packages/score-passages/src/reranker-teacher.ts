import { hashText, retrievalQuery, type StageContext } from "@rag-ft/core";
import { compileScorer, hashModel, loadScorer, requireDevice, type TextPair } from "@rag-ft/models";
import type { ScorePassagesSettings } from "./settings.js";
import type { OpenedTeacher } from "./teacher.js";

/** A cross-encoder; its scores are logits, so that differences among sure ones are not rounded away. */
export async function openRerankerTeacher(
  model: string,
  { device, threads, max_seq_length: maxLength }: ScorePassagesSettings,
  { env, reporter, signal }: StageContext,
): Promise<OpenedTeacher> {
  await requireDevice(device);
  const scorer = await loadScorer(model, {
    ...{ env, reporter, signal },
    truncation: "only_second",
    ...(maxLength === undefined ? {} : { maxLength }),
  });
  // A decoder's template decides what it reads, too.
  const asked = scorer.pairFormat?.render("question", "passage") ?? null;
  const hash = hashText(JSON.stringify([await hashModel(scorer.folder, scorer.weights), scorer.maxLength, asked]));
  const compiled = await compileScorer(scorer, { device, threads });
  return {
    teacher: { kind: "reranker", model, hash },
    reads: retrievalQuery,
    async score(question, passages, stop) {
      const pairs = passages.map(({ fmt_content }): TextPair => [retrievalQuery(question), fmt_content]);
      return [...(await compiled.logits(pairs, { signal: stop }))];
    },
    close: compiled.close,
  };
}
