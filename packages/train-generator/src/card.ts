import { CARD_FOLDER, type CardFacts } from "@rag-ft/fine-tune";
import type { TrainGeneratorSettings } from "./settings.js";

const use = (systemText: string): string =>
  `Its prompt holds the instruction, the passages that a retriever found, and the question. With rag-ft, which finds them:

\`\`\`sh
rag-ft ask "…" --document_path documents.jsonl --embedding_model_name_or_path RETRIEVER --qa_model_name_or_path ${CARD_FOLDER}
\`\`\`

With transformers, by the chat template of the folder; \`rag_ft_prompt.json\` holds the prompt's parts:

\`\`\`python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("${CARD_FOLDER}")
model = AutoModelForCausalLM.from_pretrained("${CARD_FOLDER}")
instruction = ${JSON.stringify(systemText)}
passage = "Source: proxy.md\\nTitle: Proxy\\nContent:\\nA proxy is set with the variable HTTPS_PROXY."
messages = [
    {"role": "system", "content": f"{instruction}\\n\\n{passage}"},
    {"role": "user", "content": "How do I set a proxy?"},
]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
output = model.generate(**inputs, max_new_tokens=64, do_sample=False)
print(tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
\`\`\``;

/** What the card of a trained decoder says. */
export function generatorCard(
  settings: TrainGeneratorSettings,
  systemText: string,
  counts: { train: number; noAnswer: number; eval: number; test: number | undefined; passages: number },
): CardFacts {
  const { retrieval, embedding_max_num_to_retrieve, max_seq_length, base_dtype } = settings;
  return {
    library_name: "transformers",
    pipeline_tag: "text-generation",
    tags: ["retrieval-augmented-generation", "question-answering"],
    about: "A decoder that answers questions from the passages in its prompt.",
    data: [
      ["questions with answers to train on", String(counts.train)],
      ...(counts.noAnswer === 0
        ? []
        : [["of these, questions that their passages do not answer", String(counts.noAnswer)] as const]),
      ["questions whose loss chose the checkpoint", String(counts.eval)],
      ...(counts.test === undefined ? [] : [["questions of the test", String(counts.test)] as const]),
      ["passages searched for the prompts", String(counts.passages)],
    ],
    recipe: {
      loss: "cross-entropy of the answer's tokens",
      retrieval,
      embedding_max_num_to_retrieve,
      max_seq_length,
      base_dtype,
    },
    use: use(systemText),
  };
}
