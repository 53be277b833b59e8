export * from "./native.js";
