import { throwIfCancelled } from "@rag-ft/core";
import { type Asked, describeError } from "./describe-error.js";

export interface RequestLimits {
  /** Milliseconds of the SDK's own limit, which is never the first to end. */
  timeout: number;
  signal: AbortSignal;
}

/**
 * One attempt, from the request to the last byte of the reply within `timeout_ms`; any failure as one of our errors. A stop on
 * request cuts it off only with `signal`.
 */
export async function withinTime<T>(
  asked: Asked,
  { timeout_ms, signal }: { timeout_ms: number; signal?: AbortSignal },
  attempt: (limits: RequestLimits) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timedOut = false;
  // The SDK's own limit ends with the headers; a body may hang, too.
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort();
  }, timeout_ms);
  const ends = signal ? AbortSignal.any([controller.signal, signal]) : controller.signal;
  try {
    return await attempt({ timeout: timeout_ms * 2, signal: ends });
  } catch (error) {
    if (signal) throwIfCancelled(signal);
    throw describeError(error, asked, timedOut);
  } finally {
    clearTimeout(timer);
  }
}
