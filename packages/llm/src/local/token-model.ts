/** A text to go on with, in tokens. */
export interface TokenRequest {
  /** Ids, one at least. */
  prompt: readonly number[];
  /** New tokens at most. */
  room: number;
  /** Ids that end the text. */
  ends: readonly number[];
  /** 0 = greedy. */
  temperature: number;
  seed: number;
  /** Somebody reads along. */
  live: boolean;
  /**
   * Asked after every token, and from time to time before the first, with the tokens made and the seconds spent on this text: true ends it, and what it throws is the
   * end of the request.
   */
  watch(made: readonly number[], seconds: number): boolean;
}

export interface MadeTokens {
  made: readonly number[];
  /** What the text took: of a run that several shared, its part. */
  seconds: number;
}

/** A decoder in this process: tokens in, tokens out. */
export interface TokenModel {
  /** Requests at once that suit it. */
  concurrency: number;
  continue(request: TokenRequest): Promise<MadeTokens>;
  close(): Promise<void>;
}
