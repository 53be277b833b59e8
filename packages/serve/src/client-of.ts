import { createHash } from "node:crypto";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context } from "hono";

/** Whose request this is, to have clients take turns: by what it authorises with, else by its address. */
export function clientOf(context: Context): string {
  const authorization = context.req.header("authorization");
  if (authorization !== undefined) return createHash("sha256").update(authorization).digest("base64");
  return getConnInfo(context).remote.address ?? "";
}
