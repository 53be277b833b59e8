import { embed, embedMany, rerank } from "ai";
import { openRag } from "rag-ft";
import { createRagFt } from "rag-ft-ai-sdk";

const rag = await openRag("result/quickstart");
const ragFt = createRagFt(rag);

const { embedding } = await embed({ model: ragFt.embeddingModel(), value: "How do I set a proxy?" });
const { embeddings } = await embedMany({
  model: ragFt.embeddingModel(),
  values: ["Set HTTPS_PROXY.", "Delete the cache."],
  providerOptions: { ragFt: { inputType: "passage" } },
});
console.log(embedding.length, embeddings.length);

const { ranking } = await rerank({
  model: ragFt.rerankingModel(),
  query: "How do I set a proxy?",
  documents: ["Delete the cache.", "Set HTTPS_PROXY."],
  topN: 1,
});
console.log(ranking[0].document);
await rag.close();
