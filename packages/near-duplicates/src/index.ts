export * from "./near-duplicates.js";
export * from "./question-set.js";
export * from "./shingles.js";
export * from "./words.js";
