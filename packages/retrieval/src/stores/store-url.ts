/** Where a URL with a password belongs: settings are recorded beside results. */
export const STORE_URL_VARIABLE = "RAG_FT_VECTOR_STORE_URL";

/** Every password that a URL holds: before its host (as it is written there), or as a parameter, in large or small letters, which may be empty. */
export function passwordsOf({ password, searchParams }: URL): string[] {
  const parameters = [...searchParams].filter(([name]) => name.toLowerCase() === "password").map(([, value]) => value);
  return password === "" ? parameters : [password, ...parameters];
}
