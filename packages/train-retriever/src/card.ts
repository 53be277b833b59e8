import { CARD_FOLDER, type CardFacts } from "@rag-ft/fine-tune";
import type { EncoderSettings } from "@rag-ft/models";
import type { TrainingQuestions } from "@rag-ft/retrieval";
import type { Distillation } from "./distillation.js";
import type { TrainRetrieverSettings } from "./settings.js";

const USE = `A question and a passage that answers it have similar vectors. With rag-ft:

\`\`\`sh
rag-ft ask "…" --document_path documents.jsonl --embedding_model_name_or_path ${CARD_FOLDER} --qa_model_name_or_path GENERATOR
\`\`\`

With sentence-transformers, which takes the prefixes of questions and passages from the folder:

\`\`\`python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("${CARD_FOLDER}")
questions = model.encode(["How do I set a proxy?"], prompt_name="query")
passages = model.encode(["A proxy is set with the variable HTTPS_PROXY."], prompt_name="passage")
print(model.similarity(questions, passages))
\`\`\``;

function distilled(
  { distil_loss, distil_weight, distil_passages, distil_student_temperature }: TrainRetrieverSettings,
  { teacher, teacherTemperature }: Distillation,
): CardFacts["recipe"] {
  return {
    distil_from: `${teacher.kind} ${teacher.model}`,
    ...{ distil_loss, distil_weight, distil_passages, distil_student_temperature },
    distil_teacher_temperature: teacherTemperature,
  };
}

/** What the card of a trained encoder says. */
export function retrieverCard(
  settings: TrainRetrieverSettings,
  { similarity, pooling, query_prefix, passage_prefix, max_length }: EncoderSettings,
  { temperature, distillation }: { temperature: number; distillation: Distillation | undefined },
  { train, evaluation, test, documents }: TrainingQuestions,
): CardFacts {
  const { hard_neg_ratio, mask_near_duplicates, matryoshka_dims, dropout } = settings;
  const { positives, extra_positives } = settings;
  return {
    library_name: "sentence-transformers",
    pipeline_tag: "sentence-similarity",
    tags: ["sentence-transformers", "feature-extraction", "sentence-similarity", "retrieval"],
    about: "An encoder that finds the passages which answer a question.",
    data: [
      ["questions to train on, each with its passage", String(train.length)],
      ["questions that chose the checkpoint", String(evaluation.length)],
      ...(test ? [["questions of the test", String(test.length)] as const] : []),
      ["passages searched", String(documents.length)],
    ],
    recipe: {
      loss: "in-batch contrastive (InfoNCE)",
      similarity,
      temperature,
      pooling,
      query_prefix,
      passage_prefix,
      max_seq_length: max_length,
      hard_neg_ratio,
      mask_near_duplicates,
      ...(positives === "all" ? { positives, extra_positives } : {}),
      ...(distillation ? distilled(settings, distillation) : {}),
      matryoshka_dims,
      dropout,
    },
    use: USE,
  };
}
