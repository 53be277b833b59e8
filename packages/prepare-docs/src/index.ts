export * from "./settings.js";
export * from "./stage.js";
