export * from "./likely-answers.js";
export * from "./mine-hard-negatives.js";
export * from "./mining-settings.js";
