export { type ScorePassagesSettings, scorePassagesSettings } from "./settings.js";
export { scorePassages } from "./stage.js";
