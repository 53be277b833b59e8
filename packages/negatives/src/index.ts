export * from "./likely-limit.js";
export * from "./mine-hard-negatives.js";
export * from "./mining-settings.js";
