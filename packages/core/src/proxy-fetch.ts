import { UserError } from "./errors.js";

type Env = Readonly<Record<string, string | undefined>>;

/** The proxies that an environment names: for http and https addresses, and the hosts that are reached without. */
function proxiesOf(env: Env): { httpProxy?: string; httpsProxy?: string; noProxy?: string } {
  const either = (name: string): string | undefined => env[name] || env[name.toUpperCase()] || undefined;
  const all = either("all_proxy");
  const httpProxy = either("http_proxy") ?? all;
  const httpsProxy = either("https_proxy") ?? all;
  const noProxy = either("no_proxy");
  return {
    ...(httpProxy ? { httpProxy } : {}),
    ...(httpsProxy ? { httpsProxy } : {}),
    ...(noProxy ? { noProxy } : {}),
  };
}

/**
 * `fetch` by way of the proxies that the environment names (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, in small letters, too), which Node's
 * own passes by; Node's own where none is named.
 *
 * @throws UserError for a proxy that is no http or https address.
 */
export function proxyFetch(env: Env): typeof fetch {
  const proxies = proxiesOf(env);
  if (!proxies.httpProxy && !proxies.httpsProxy) return fetch;
  for (const address of [proxies.httpProxy, proxies.httpsProxy]) {
    if (address !== undefined && !(URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)))
      throw new UserError("HTTP_PROXY or HTTPS_PROXY is no address of a proxy. Expected http://host:port.");
  }
  // Loaded only where a proxy is named.
  const opened = import("undici").then(({ EnvHttpProxyAgent, fetch: viaAgent }) => {
    const dispatcher = new EnvHttpProxyAgent(proxies);
    return ((input: string, init?: object) => viaAgent(input, { ...init, dispatcher })) as unknown as typeof fetch;
  });
  return async (input, init) => {
    const send = await opened;
    return send(input instanceof Request ? input.url : input, init);
  };
}
