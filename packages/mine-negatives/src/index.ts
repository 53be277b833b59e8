export { type MineNegativesSettings, mineNegativesSettings } from "./settings.js";
export { mineNegatives } from "./stage.js";
