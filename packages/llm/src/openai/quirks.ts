import { APIError } from "openai";

/** What a server does not take as we send it; each is found out by one refused request and remembered. */
export const QUIRKS = {
  other_limit: "the other name of the limit of tokens (max_tokens, max_completion_tokens)",
  no_temperature: "no temperature",
  no_seed: "no seed",
  no_stop: "no stop strings (replies are cut here)",
  no_system: "no system message (it is put before the first question)",
  no_schema: "no JSON schema",
  no_stream_usage: "no usage in streams",
  no_stream: "no streams (replies are shown once they are whole)",
} as const;

export type Quirk = keyof typeof QUIRKS;
export type Quirks = Partial<Record<Quirk, true>>;

/** The server may mean a value of the parameter, and not the parameter. */
const REFUSES =
  /unsupported|not (?:yet )?(?:be )?(?:support|permitt|allow|recogni[sz]|implement|available|valid)|does(?:n't| not) support|unknown|unrecogni[sz]ed|unexpected|extra (?:inputs|fields|parameters)|unavailable|cannot unmarshal|not a valid|invalid (?:parameter|argument|field|request argument|type)|input should be '|use '?max_/i;

/** Parameters by what the text of an error calls them. */
const PARAMETERS: readonly (readonly [RegExp, Quirk])[] = [
  [/response_format|response format|json_schema|structured output|\.format\b|guided_json/i, "no_schema"],
  [/max_completion_tokens|max_tokens/i, "other_limit"],
  [/temperature/i, "no_temperature"],
  [/\bseed\b/i, "no_seed"],
  [/stream_options|include_usage/i, "no_stream_usage"],
  [/\bstream(?:s|ed|ing)?\b/i, "no_stream"],
  [/\bstop\b(?! (?:sequences? must|reason))/i, "no_stop"],
];

const SYSTEM =
  /system (?:role|message|prompt)s?\b[^.]*(?:not|unsupported)|(?:not|n't) support[^.]*\bsystem\b|unsupported[^.]*\bsystem\b|roles must alternate|only user and assistant roles|invalid role:? '?system/i;

/** What to change of a request that was refused; undefined when no parameter that was sent is named as the reason. */
export function quirkOf(error: unknown, sent: Readonly<Record<string, unknown>>): Quirk | undefined {
  if (!(error instanceof APIError)) return undefined;
  const { status, param } = error;
  if (status !== 400 && status !== 422 && status !== 501 && status !== 404) return undefined;
  const text = `${param ?? ""} ${error.message}`;
  const messages = sent.messages as { role: string }[];
  if (SYSTEM.test(text) && messages.some(({ role }) => role === "system")) return "no_system";
  if (
    status === 404 ||
    !(REFUSES.test(text) || error.code === "unsupported_parameter" || error.code === "unsupported_value")
  )
    return undefined;
  const isSent: Record<Quirk, boolean> = {
    other_limit: "max_tokens" in sent || "max_completion_tokens" in sent,
    no_temperature: "temperature" in sent,
    no_seed: "seed" in sent,
    no_stop: "stop" in sent,
    no_system: false,
    no_schema: "response_format" in sent,
    no_stream_usage: "stream_options" in sent,
    no_stream: "stream" in sent,
  };
  const named = (part: string): Quirk | undefined =>
    PARAMETERS.find(([pattern, quirk]) => isSent[quirk] && pattern.test(part))?.[1];
  // The parameter that the server names goes before what the text speaks of.
  return (param ? named(param) : undefined) ?? named(text);
}
