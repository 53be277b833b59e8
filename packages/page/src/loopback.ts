import { isIP, isIPv4 } from "node:net";

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  return isIPv4(host) && host.startsWith("127.");
}

/**
 * Whether a request's `Host` names this server. A page of another site can have its own name resolve to 127.0.0.1 (DNS
 * rebinding), and would then be let read everything here; but its requests still carry that name.
 */
export function isOwnHost(header: string | undefined, host: string, port: number): boolean {
  const match = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d+))?$/.exec(header ?? "");
  if (!match || Number(match[2] ?? 80) !== port) return false;
  const name = (match[1] ?? "").replace(/^\[|\]$/g, "").toLowerCase();
  if (name === host.toLowerCase() || name === "localhost") return true;
  // An address cannot be rebound; but on a loopback server, only those of this machine are its own.
  return isIP(name) !== 0 && (isLoopback(name) || !isLoopback(host));
}
