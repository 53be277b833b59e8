/** What is looked at of a tokenizer.json. */
interface Description {
  model: { type?: string | undefined };
  normalizer: unknown;
  pre_tokenizer: unknown;
  added_tokens: readonly { content: string }[];
}

/** Words of which the tokens are known, at most; a documentation has some ten thousand. */
const MOST_WORDS = 1 << 17;
/** A longer one is seldom there twice. */
const LONGEST = 64;
/** White space at which BERT's tokenizers cut before all else. Not all of it: they take out U+000B and U+000C, and so join what is around. */
const WORD = /[^ \t\n\r]+/g;

const typeOf = (part: unknown): unknown =>
  typeof part === "object" && part !== null && "type" in part ? part.type : undefined;

/** Whether a text has as many tokens as its words one by one: BERT's tokenizers look at no word's neighbours. */
function isByWord({ model, normalizer, pre_tokenizer, added_tokens }: Description): boolean {
  return (
    model.type === "WordPiece" &&
    (normalizer === null || typeOf(normalizer) === "BertNormalizer") &&
    typeOf(pre_tokenizer) === "BertPreTokenizer" &&
    added_tokens.every(({ content }) => !/\s/.test(content))
  );
}

/**
 * Counts tokens by word where the tokenizer allows it, each word once: some ten times as fast.
 *
 * @param count - the tokenizer's own
 */
export function countByWord(description: Description, count: (text: string) => number): (text: string) => number {
  if (!isByWord(description)) return count;
  const known = new Map<string, number>();
  return (text) => {
    let sum = 0;
    for (const word of text.match(WORD) ?? []) {
      let tokens = known.get(word);
      if (tokens === undefined) {
        tokens = count(word);
        if (known.size >= MOST_WORDS) known.clear();
        if (word.length <= LONGEST) known.set(word, tokens);
      }
      sum += tokens;
    }
    return sum;
  };
}
