export * from "./answer-questions.js";
export * from "./generator.js";
export * from "./generator-settings.js";
export * from "./open-generator.js";
export * from "./open-rag.js";
export * from "./rag-system.js";
export * from "./weights-identity.js";
