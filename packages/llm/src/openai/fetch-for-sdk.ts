/** The code of a used-up quota: the same HTTP status as "too many requests", but no waiting heals it. */
const USED_UP = "insufficient_quota";

/** `fetch` that tells the SDK (by the header it looks at) not to send a request again when the quota is used up. */
export async function fetchForSdk(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (response.status !== 429) return response;
  const text = await response.text();
  const headers = new Headers(response.headers);
  if (text.includes(`"${USED_UP}"`)) headers.set("x-should-retry", "false");
  return new Response(text, { status: response.status, statusText: response.statusText, headers });
}
