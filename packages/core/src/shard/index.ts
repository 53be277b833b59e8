export * from "./shard.js";
export * from "./shard-record.js";
export * from "./shard-set.js";
