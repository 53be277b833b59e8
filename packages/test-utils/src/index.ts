export * from "./batch-endpoints.js";
export * from "./copy-stage.js";
export * from "./faulty-replies.js";
export * from "./hub-server.js";
export * from "./odd-replies.js";
export * from "./openai-server.js";
export * from "./raw-reply.js";
export * from "./word-encoder.js";
