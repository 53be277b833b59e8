/**
 * What a question in a dialogue is searched by: `turns` are the last questions and it (`retrievalQuery`), as in training and test; `rewrite` has the generator
 * put it so that it stands alone, one more request.
 */
export const FOLLOW_UPS = ["turns", "rewrite"] as const;
export type FollowUps = (typeof FOLLOW_UPS)[number];
