import { betweenServers, UserError } from "@rag-ft/core";

type Env = Readonly<Record<string, string | undefined>>;

/** An address of a server with the key for it. */
export interface Address {
  /** Undefined: OpenAI itself. */
  baseURL: string | undefined;
  key: string | undefined;
}

/**
 * The addresses of `OPENAI_BASE_URL`, several between commas, each with its key of `OPENAI_API_KEY`: one key for all, or as many as addresses.
 *
 * @throws UserError when there are other numbers of keys; the keys are not repeated.
 */
export function addressesOf(env: Env): Address[] {
  const urls = betweenServers(env.OPENAI_BASE_URL ?? "");
  const [only] = urls;
  if (urls.length < 2) return [{ baseURL: only, key: env.OPENAI_API_KEY || undefined }];
  const keys = betweenServers(env.OPENAI_API_KEY ?? "");
  if (keys.length > 1 && keys.length !== urls.length)
    throw new UserError(
      `OPENAI_API_KEY holds ${keys.length} keys, and OPENAI_BASE_URL ${urls.length} addresses. Give one key for all, or one an address, in their order.`,
    );
  return urls.map((baseURL, i) => ({ baseURL, key: keys.length > 1 ? keys[i] : keys[0] }));
}
