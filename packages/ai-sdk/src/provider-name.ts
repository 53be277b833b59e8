/** As logs show it, and as the one model of an opened system is called. */
export const PROVIDER = "rag-ft";
