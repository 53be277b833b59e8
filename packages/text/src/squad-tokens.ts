import { splitWords } from "./python-words.js";

// SQuAD's evaluation runs on Python, whose words are Unicode: with \b the last letter of "caña" would be taken for an article.
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** Answer normalisation of SQuAD's evaluation: lower case, no punctuation, no articles, single spaces; split in tokens. */
export function squadTokens(text: string): string[] {
  return splitWords(
    text
      .toLowerCase()
      .replace(/[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g, "")
      .replace(ARTICLES, " "),
  );
}
