export type { RagFtOptions } from "./call-options.js";
export * from "./create-rag-ft.js";
