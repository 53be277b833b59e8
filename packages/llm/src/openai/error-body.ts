import { isObject, type Loose } from "./content-text.js";

/** More of a page of HTML helps nobody. */
const LONGEST_MESSAGE = 1_000;

/** One problem of FastAPI's and Mistral's lists: `body.seed: Extra inputs are not permitted`. */
function problemText(problem: unknown): string {
  if (!isObject(problem)) return String(problem);
  const place = Array.isArray(problem.loc) ? `${problem.loc.join(".")}: ` : "";
  const text = problem.msg ?? problem.message;
  return typeof text === "string" ? `${place}${text}` : JSON.stringify(problem);
}

/** The text of an error, wherever a server puts it. */
export function messageOf(value: unknown): string | undefined {
  if (typeof value === "string") return value.trim() === "" ? undefined : value;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(problemText).join("; ");
  if (!isObject(value)) return undefined;
  for (const key of ["message", "detail", "error", "errors", "msg", "title"]) {
    const found = messageOf(value[key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `[["body", "seed"]]` of FastAPI: the parameter that is refused. */
function paramOf(body: Loose): string | undefined {
  const inner = isObject(body.message) ? body.message : body;
  const [first] = Array.isArray(inner.detail) ? (inner.detail as unknown[]) : [];
  if (!isObject(first) || !Array.isArray(first.loc)) return undefined;
  return first.loc.filter((part) => part !== "body").join(".");
}

/**
 * The body of a failed request in OpenAI's form, `{error: {message, param, code, type}}`, which alone the SDK reads: vLLM and Mistral put
 * the keys at the top, FastAPI a list at `detail`, Ollama and llama.cpp a string at `error`, a gateway a page of text.
 */
export function asOpenAiError(text: string): string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return JSON.stringify({ error: { message: text.trim().slice(0, LONGEST_MESSAGE) || "no reason given" } });
  }
  if (isObject(body) && isObject(body.error) && typeof body.error.message === "string") return text;
  const inner = isObject(body) && isObject(body.error) ? body.error : isObject(body) ? body : {};
  const { param, code, type } = inner;
  const message = (messageOf(body) ?? (text.trim() || "no reason given")).slice(0, LONGEST_MESSAGE);
  return JSON.stringify({
    error: {
      message,
      param: typeof param === "string" ? param : (paramOf(inner) ?? null),
      code: typeof code === "string" ? code : null,
      type: typeof type === "string" ? type : null,
    },
  });
}

/** A `fetch` whose failed replies hold OpenAI's form of an error. */
export function withErrorBodies(send: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await send(input, init);
    if (response.ok) return response;
    const headers = new Headers(response.headers);
    for (const name of ["content-encoding", "content-length"]) headers.delete(name);
    headers.set("content-type", "application/json");
    const { status, statusText } = response;
    return new Response(asOpenAiError(await response.text()), { status, statusText, headers });
  };
}
