/** What can go wrong with a request, as it is counted and shown. */
export const problemKinds = {
  rate_limit: "too many requests (429)",
  server_error: "error of the server (5xx)",
  timeout: "no reply in time",
  connection: "connection lost or refused",
  malformed: "reply that is no JSON",
  no_choice: "reply without a choice",
  empty: "empty reply",
  truncated: "reply cut at max_new_tokens",
  refusal: "refused by the model",
  content_filter: "held back by a content filter",
  rejected: "request rejected by the server",
  unusable: "reply without what was asked for",
} as const;

export type ProblemKind = keyof typeof problemKinds;
