export * from "./result/choice.js";
export * from "./result/choose-result.js";
export * from "./result/promote-checkpoint.js";
export * from "./result/result-settings.js";
