export * from "./extractive-answer.js";
export * from "./extractive-questions.js";
export * from "./question-kinds.js";
