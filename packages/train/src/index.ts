export * from "./gradients/backward.js";
export * from "./gradients/rule.js";
export * from "./losses/contrastive.js";
export * from "./losses/cross-entropy.js";
export * from "./optimizer/adamw.js";
export * from "./optimizer/gradients.js";
export * from "./optimizer/schedule.js";
