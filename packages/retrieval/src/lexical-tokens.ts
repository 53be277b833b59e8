import { words } from "@rag-ft/text";

/**
 * Words for lexical search, identifiers whole. Neither stems nor a list of stop words: on questions about documentation plain words
 * find more at the first place.
 */
export const lexicalTokens = (text: string): string[] => words(text, { underscores: true });
