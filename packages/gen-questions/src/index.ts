export { type GenQuestionsSettings, genQuestionsSettings } from "./settings.js";
export { genQuestions } from "./stage.js";
