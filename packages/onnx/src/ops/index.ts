export * from "./attention.js";
export * from "./elementwise.js";
export * from "./gather.js";
export * from "./matrix.js";
export * from "./normalise.js";
export * from "./reduce.js";
export * from "./rotary.js";
export * from "./shape.js";
