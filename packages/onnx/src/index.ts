export * from "./cut.js";
export * from "./device.js";
export * from "./ops/index.js";
export * from "./order.js";
export * from "./serialise.js";
export * from "./session.js";
export * from "./value.js";
export * from "./write-model.js";
