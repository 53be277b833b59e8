/** The addresses of `OPENAI_BASE_URL`, or the keys of `OPENAI_API_KEY`: several stand between commas. */
export const betweenServers = (text: string | undefined): string[] =>
  (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/**
 * What stands for the servers of `OPENAI_BASE_URL` in keys of what they made: the first address, since all serve the same models. A further one buys
 * nothing again.
 */
export const serverIdentity = (env: Readonly<Record<string, string | undefined>>): string =>
  betweenServers(env.OPENAI_BASE_URL)[0] ?? "";
