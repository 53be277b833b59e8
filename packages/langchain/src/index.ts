export * from "./rag-ft-embeddings.js";
export * from "./rag-ft-retriever.js";
