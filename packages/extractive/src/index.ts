export * from "./extractive-answer.js";
export * from "./extractive-questions.js";
