import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";

export type { Browser, Locator, Page } from "playwright-core";

/** The Chromium of this machine; undefined where there is none, so that tests which drive one are left out. */
export const CHROMIUM = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((name) => (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name)))
  .find((path) => existsSync(path));

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox"] });
}

/** Widths and colours in which every page is looked at. */
export const LOOKS = [
  [400, "light"],
  [400, "dark"],
  [1280, "light"],
  [1280, "dark"],
] as const;

/** Every rule that the page breaks, as axe names it. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}

/** What stands beyond the screen's edge without a place of its own that scrolls: nobody would know of it. */
export async function cutElements(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const scrolls = (node) => node.closest(".scroll, .visually-hidden, svg") !== null;
    return [...document.body.querySelectorAll("*")]
      .filter((node) => !scrolls(node) && node.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
      .map((node) => node.outerHTML.slice(0, 120));
  })()`);
}
