export * from "./fine-tune.js";
export * from "./fine-tune-task.js";
export { freezeSettings } from "./frozen-states.js";
export { type Candidate, type Choice, candidateName, choose, type Place, writeChoice } from "./result/choice.js";
export { CARD_FOLDER, type CardFacts, writeModelCard } from "./result/model-card.js";
export { promoteCheckpoint } from "./result/promote-checkpoint.js";
export { resultSettings } from "./result/result-settings.js";
export * from "./retriever-figures.js";
