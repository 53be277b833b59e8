export * from "./chunk/chunk-text.js";
export * from "./make-passages.js";
export * from "./read/raw-document.js";
export * from "./settings.js";
export * from "./stage.js";
