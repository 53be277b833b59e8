export * from "./tokenizer/load-tokenizer.js";
export * from "./tokenizer/tokenizer.js";
