export { isParquet, openParquet } from "./read-parquet.js";
export { kindOf, type TableKind } from "./tables.js";
export * from "./write-parquet.js";
