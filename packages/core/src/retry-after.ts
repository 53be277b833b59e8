/** Milliseconds that the server asks to wait; undefined when it does not say. */
export function retryAfterMs(headers: Headers | undefined, now = Date.now()): number | undefined {
  const precise = Number(headers?.get("retry-after-ms") ?? Number.NaN);
  if (precise >= 0) return precise;
  const value = headers?.get("retry-after");
  if (!value) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
