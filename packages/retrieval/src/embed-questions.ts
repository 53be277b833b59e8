import type { PassageEncoder } from "./passage-encoder.js";
import type { RetrieveOptions } from "./retriever.js";

/** Vectors of all questions, `[questions, dimensions]`, embedded together. */
export async function embedQuestions(
  encoder: PassageEncoder,
  questions: readonly string[],
  { reporter, signal }: RetrieveOptions,
): Promise<Float32Array> {
  const progress = reporter?.start("embedding questions", questions.length);
  try {
    return await encoder.embed(questions, "query", { signal, onProgress: (done) => progress?.update(done) });
  } finally {
    progress?.stop();
  }
}
