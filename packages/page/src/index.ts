export * from "./assets.js";
export * from "./html.js";
export * from "./listen.js";
export * from "./loopback.js";
export * from "./page.js";
export * from "./passage-table.js";
