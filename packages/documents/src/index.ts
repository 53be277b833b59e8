export * from "./readers/reader.js";
export * from "./readers/registry.js";
