export { type GenAnswersSettings, genAnswersSettings } from "./settings.js";
export { genAnswers } from "./stage.js";
