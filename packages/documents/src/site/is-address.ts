/** Whether an entry or a source is an address of the web, not a path. */
export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}
