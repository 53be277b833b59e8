import { DataError } from "@rag-ft/core";

/** One request failed for good (after its retries); others may still succeed. */
export class CompletionError extends DataError {}
