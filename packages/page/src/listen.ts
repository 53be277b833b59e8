import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { UserError } from "@rag-ft/core";

function describeProblem(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === "EADDRINUSE")
    return `port ${port} of ${host} is taken. Give another --port, or 0 for any that is free.`;
  if (error.code === "EACCES") return `port ${port} may not be opened by this user. Give --port a number above 1023.`;
  return `${host}:${port} cannot be listened on (${error.message}). Check --host.`;
}

/**
 * Has a server listen; returns its address as a browser takes it.
 *
 * @throws UserError when the port is taken or not allowed, or the host is none of this machine.
 */
export async function listenOn(server: Server, host: string, port: number): Promise<string> {
  const listening = once(server, "listening");
  server.listen(port, host);
  try {
    await listening;
  } catch (error) {
    throw new UserError(describeProblem(error as NodeJS.ErrnoException, host, port), { cause: error });
  }
  const { port: actual } = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${actual}/`;
}
