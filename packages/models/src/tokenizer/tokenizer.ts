/** Two texts as one sequence with the model's special tokens. */
export interface PairTokens {
  ids: number[];
  /** 0 for the first text's tokens, 1 for the second's, as the model's token types are. */
  types: number[];
}

/** Text to token ids and back, as the model's `tokenizer.json` says. Never truncates and never pads: that is the caller's. */
export interface Tokenizer {
  /** Token ids; `special` (default true) adds what the model expects around a text, such as `[CLS]` … `[SEP]`. */
  encode(text: string, options?: { special?: boolean }): number[];
  /** A text from outside in a form in which `encode` reads its special tokens (`<|im_end|>`) as text; others stay as they are. */
  asText(text: string): string;
  /** Strings of the tokens that steer the model: the special ones, and what the chat template writes beside them (`<think>`). */
  readonly controlTokens: readonly string[];
  /** Two texts as one sequence, with special tokens and token types as the model expects them. */
  encodePair(first: string, second: string): PairTokens;
  /** Text of the ids; `skipSpecial` (default false) leaves special tokens out. */
  decode(ids: readonly number[], options?: { skipSpecial?: boolean }): string;
  /** Number of tokens, without the special ones that `encode` would add. */
  count(text: string): number;
  /** Id to pad with: the pad token, else the stop token, else 0 (masked positions, so any valid id does). */
  readonly padId: number;
  /** Id of the stop token, when the folder names one. */
  readonly eosId: number | undefined;
  /** Id of a token given as it stands in the vocabulary (`<|im_end|>`, `[MASK]`). */
  tokenId(token: string): number | undefined;
  /** The longest input in tokens that the folder declares; undefined when it declares none. */
  readonly modelMaxLength: number | undefined;
}
