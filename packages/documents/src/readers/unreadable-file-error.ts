import { DataError } from "@rag-ft/core";

/** A file that is not what its name says or is beyond what is read: one of many is passed over with a warning. */
export class UnreadableFileError extends DataError {}
