import { CARD_FOLDER, type CardFacts } from "@rag-ft/fine-tune";
import type { LoadedScorer } from "@rag-ft/models";
import type { TrainingQuestions } from "@rag-ft/retrieval";
import type { TrainRerankerSettings } from "./settings.js";

const USE = `A question and a passage are read together, and the score says how well the one answers the other. \`reranker.json\` holds how much the score counts beside the search's, as the eval questions
chose it; 0 is the search alone. With rag-ft:

\`\`\`sh
rag-ft ask "…" --document_path documents.jsonl --embedding_model_name_or_path ENCODER --qa_model_name_or_path GENERATOR \\
  --retrieval hybrid --reranker ${CARD_FOLDER}
\`\`\`

With sentence-transformers:

\`\`\`python
from sentence_transformers import CrossEncoder

model = CrossEncoder("${CARD_FOLDER}")
print(model.predict([("How do I set a proxy?", "A proxy is set with the variable HTTPS_PROXY.")]))
\`\`\``;

/** What the card of a trained reranker says. */
export function rerankerCard(
  settings: TrainRerankerSettings,
  { maxLength }: Pick<LoadedScorer, "maxLength">,
  firstStage: string,
  { train, evaluation, test, documents }: TrainingQuestions,
): CardFacts {
  const { loss, negatives, num_negatives, negative_margin, negative_pool, rerank_top_n } = settings;
  return {
    library_name: "sentence-transformers",
    pipeline_tag: "text-ranking",
    tags: ["sentence-transformers", "cross-encoder", "reranker", "text-ranking"],
    about: "A cross-encoder that reorders the first passages of a search by how well they answer the question.",
    data: [
      ["questions to train on, each with its passage", String(train.length)],
      ["questions that chose the checkpoint and the weight", String(evaluation.length)],
      ...(test ? [["questions of the test", String(test.length)] as const] : []),
      ["passages searched", String(documents.length)],
    ],
    recipe: {
      loss,
      first_stage: firstStage,
      negatives,
      num_negatives,
      ...(negatives === "mined" ? { negative_margin, negative_pool } : {}),
      rerank_top_n,
      max_seq_length: maxLength,
    },
    use: USE,
  };
}
