export * from "./fine-tune.js";
export * from "./fine-tune-task.js";
export { FROZEN_STATES, freezeSettings } from "./frozen-states.js";
export { candidateName, type Place } from "./result/choice.js";
export { CARD_FOLDER, type CardFacts } from "./result/model-card.js";
export { resultSettings } from "./result/result-settings.js";
export * from "./retriever-figures.js";
