export { gte } from "./gte.js";
export { jinaV3 } from "./jina-v3.js";
export { nomicBert } from "./nomic-bert.js";
