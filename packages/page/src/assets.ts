import { readFile } from "node:fs/promises";

const read = (name: string): Promise<string> => readFile(new URL(`../assets/${name}`, import.meta.url), "utf8");

/** Style of every page: colours for light and dark, type, tables, buttons. */
export const readTheme = (): Promise<string> => read("theme.css");

/** Script that reads the page's data and shows passages with the words of an answer marked; to stand before a page's own. */
export const readPageScript = (): Promise<string> => read("page.js");
