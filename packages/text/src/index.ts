export * from "./near-duplicates.js";
export * from "./overlap.js";
export * from "./porter-stemmer.js";
export * from "./python-words.js";
export * from "./question-set.js";
export * from "./shingles.js";
export * from "./squad-tokens.js";
export * from "./words.js";
