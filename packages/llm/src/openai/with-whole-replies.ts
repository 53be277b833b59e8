/** JSON in the place of a stream, whatever it says, as the only event of one. */
export function withWholeReplies(send: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await send(input, init);
    const isStream = typeof init?.body === "string" && /"stream":true/.test(init.body);
    if (!response.ok || !isStream || !/\bjson\b/.test(response.headers.get("content-type") ?? "")) return response;
    const headers = new Headers(response.headers);
    for (const name of ["content-encoding", "content-length"]) headers.delete(name);
    headers.set("content-type", "text/event-stream");
    const whole = (await response.text()).trim().replace(/\s*\n\s*/g, " ");
    return new Response(`data: ${whole}\n\ndata: [DONE]\n\n`, { headers });
  };
}
