import { openRag } from "rag-ft";
import { RagFtEmbeddings, RagFtRetriever } from "rag-ft-langchain";

const rag = await openRag("result/quickstart");

const retriever = new RagFtRetriever({ system: rag, limit: 2 });
for (const { pageContent, metadata } of await retriever.invoke("How do I set a proxy?")) {
  console.log(metadata.score, metadata.source, pageContent);
}

const embeddings = new RagFtEmbeddings({ system: rag });
const question = await embeddings.embedQuery("How do I set a proxy?");
const passages = await embeddings.embedDocuments(["Set HTTPS_PROXY.", "Delete the cache."]);
console.log(question.length, passages.length);
await rag.close();
