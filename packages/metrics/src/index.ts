export * from "./mean.js";
export * from "./porter-stemmer.js";
export * from "./retrieval-metrics.js";
export * from "./rouge.js";
export * from "./squad.js";
