import { isOwnHost } from "@rag-ft/page";
import type { MiddlewareHandler } from "hono";
import { Refusal } from "../refusal.js";
import { carriesKey } from "./key.js";

export interface GuardOptions {
  host: string;
  /** The port that is listened on; known only when it is. */
  port: () => number;
  /** Without a key only this machine is let in, under its own names. */
  key?: string;
  allowedOrigins: readonly string[];
}

/** Open to everyone who reaches the server: neither shows what is in the database. */
const OPEN = new Set(["/", "/healthz"]);

function isOwnOrigin(origin: string, hostHeader: string | undefined): boolean {
  try {
    return new URL(origin).host === hostHeader?.toLowerCase();
  } catch {
    // `null`: a page without an origin, such as a file or a sandboxed frame.
    return false;
  }
}

/**
 * Lets in who may ask. A page of another site can make a browser send requests here, and have its own name resolve to this machine (DNS rebinding): so without a
 * key the `Host` must be one of this machine, and a request that says which page it comes from must come from this server's own or an allowed one.
 */
export function guard({ host, port, key, allowedOrigins }: GuardOptions): MiddlewareHandler {
  return async (context, next) => {
    const { req: request } = context;
    const named = request.header("host");
    if (key === undefined && !isOwnHost(named, host, port())) {
      throw new Refusal(421, "wrong_host", "This server answers to its own address only (Host header).");
    }
    const origin = request.header("origin");
    const allowed = origin !== undefined && allowedOrigins.includes(origin);
    const foreign =
      origin === undefined ? request.header("sec-fetch-site") === "cross-site" : !isOwnOrigin(origin, named);
    if (foreign && !allowed && !(request.method === "GET" && OPEN.has(request.path))) {
      throw new Refusal(403, "wrong_origin", "Pages of other sites may not ask this server; see --allowed_origins.");
    }
    if (allowed) {
      context.header("access-control-allow-origin", origin);
      context.header("vary", "Origin");
      if (request.method === "OPTIONS") {
        context.header("access-control-allow-methods", "GET, POST");
        // What official clients send of themselves (`x-stainless-os`, `mcp-protocol-version`) is no secret of another site's.
        const headers = request.header("access-control-request-headers") ?? "authorization, content-type";
        context.header("access-control-allow-headers", headers);
        return context.body(null, 204);
      }
    }
    if (key !== undefined && !OPEN.has(request.path) && !carriesKey(request.header("authorization"), key)) {
      throw new Refusal(401, "wrong_key", "This server asks for its key: Authorization: Bearer <RAG_FT_API_KEY>.", {
        "www-authenticate": "Bearer",
      });
    }
    return next();
  };
}
