/** Where a URL with a password belongs: settings are recorded beside results. */
export const STORE_URL_VARIABLE = "RAG_FT_VECTOR_STORE_URL";
