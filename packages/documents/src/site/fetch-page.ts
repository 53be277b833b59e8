import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { CancelledError, retryAfterMs } from "@rag-ft/core";
import type { SiteLimits } from "./site-limits.js";

/** What of an earlier answer asks the server whether it has changed. */
export interface Validators {
  etag?: string;
  lastModified?: string;
}

export interface FetchedPage {
  /** Where redirects led. */
  address: string;
  /** `text/html`; empty when the server does not say. */
  type: string;
  /** As the server says, in small letters. */
  charset?: string;
  /** Unpacked; undefined when what is kept of `address` has not changed. */
  bytes?: Uint8Array;
  validators: Validators;
}

/** What is likely to be better soon. */
export interface Again {
  /** As the server asks. */
  afterMs?: number;
  /** Other requests to the server had better wait, too. */
  all?: boolean;
}

/** Why an address gave nothing. */
export class FetchError extends Error {
  /** It led to another site. */
  readonly elsewhere: boolean;
  readonly again: Again | undefined;
  /** The server's answer. */
  readonly status: number | undefined;

  constructor(message: string, about: { elsewhere?: boolean; again?: Again; status?: number } = {}) {
    super(message);
    this.elsewhere = about.elsewhere ?? false;
    this.again = about.again;
    this.status = about.status;
  }
}

/** Answers after which the same request may be answered well. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Faults of a connection that was there, or of the look-up of its name. */
const LOST = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "UND_ERR_SOCKET", "UND_ERR_CONNECT_TIMEOUT"]);

function refusal({ status, headers }: Response): FetchError {
  const afterMs = retryAfterMs(headers);
  const again = { ...(afterMs === undefined ? {} : { afterMs }), all: status === 429 || afterMs !== undefined };
  return new FetchError(`the server answers ${status}`, { status, ...(PASSING.has(status) ? { again } : {}) });
}

function unreachable(error: unknown): FetchError {
  const { message, cause } = error as Error;
  const { code } = (cause ?? error) as NodeJS.ErrnoException;
  const text = `it cannot be reached (${cause instanceof Error ? cause.message || cause.name : message})`;
  return new FetchError(text, code !== undefined && LOST.has(code) ? { again: {} } : {});
}

export interface FetchPageOptions {
  fetch: typeof fetch;
  signal: AbortSignal;
  limits: SiteLimits;
  /** Whether redirects may lead to it. */
  allowed(address: URL): boolean;
  /** What is kept of an address. */
  kept(address: string): Validators | undefined;
}

/** A server may answer with `https` to what is asked for by `http`, but not the other way round. */
export function isSameSite(address: URL, site: URL): boolean {
  return address.host === site.host && (address.protocol === site.protocol || address.protocol === "https:");
}

async function bodyOf(response: Response, most: number): Promise<Uint8Array> {
  const tooLarge = new FetchError(`it has more than ${Math.ceil(most / 2 ** 20)} MB`);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > most) throw tooLarge;
    parts.push(part);
  }
  const bytes = Buffer.concat(parts);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge;
    throw new FetchError("it is packed by gzip and broken");
  }
}

function headersFor({ etag, lastModified }: Validators): Record<string, string> {
  return {
    "user-agent": "rag-ft",
    ...(etag ? { "if-none-match": etag } : {}),
    ...(lastModified ? { "if-modified-since": lastModified } : {}),
  };
}

async function follow(start: URL, options: FetchPageOptions, signal: AbortSignal): Promise<FetchedPage> {
  let address = start;
  for (let hop = 0; hop <= options.limits.redirects; hop++) {
    address.hash = "";
    const headers = headersFor(options.kept(address.href) ?? {});
    const response = await options.fetch(address.href, { redirect: "manual", headers, signal });
    const to = response.headers.get("location");
    if (response.status >= 300 && response.status < 400 && response.status !== 304 && to) {
      await response.body?.cancel();
      if (!URL.canParse(to, address.href)) throw new FetchError("it redirects to what is no address");
      const next = new URL(to, address.href);
      if (!options.allowed(next)) throw new FetchError(`it redirects to ${next.origin}`, { elsewhere: true });
      address = next;
      continue;
    }
    if (!response.ok && response.status !== 304) {
      await response.body?.cancel();
      throw refusal(response);
    }
    const [type = "", ...parameters] = (response.headers.get("content-type") ?? "").toLowerCase().split(";");
    const charset = parameters.find((part) => part.trim().startsWith("charset="))?.split("=")[1];
    const etag = response.headers.get("etag");
    const lastModified = response.headers.get("last-modified");
    return {
      address: address.href,
      type: type.trim(),
      ...(charset ? { charset: charset.replaceAll('"', "").trim() } : {}),
      ...(response.status === 304 ? {} : { bytes: await bodyOf(response, options.limits.bytes) }),
      validators: { ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) },
    };
  }
  throw new FetchError(`it redirects more than ${options.limits.redirects} times`);
}

/**
 * Fetches an address and where it redirects to, within the limits; gzip is unpacked.
 *
 * @throws FetchError when nothing was got, CancelledError when the run was asked to stop
 */
export async function fetchPage(address: URL, options: FetchPageOptions): Promise<FetchedPage> {
  const { seconds } = options.limits;
  const late = AbortSignal.timeout(seconds * 1000);
  try {
    return await follow(address, options, AbortSignal.any([options.signal, late]));
  } catch (error) {
    if (error instanceof FetchError) throw error;
    if (options.signal.aborted) throw new CancelledError("Stopped on request.");
    if (late.aborted) throw new FetchError(`it takes more than ${seconds} seconds`);
    throw unreachable(error);
  }
}
