import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AnswerLabels, answerLabelSchema, readJsonl, silentReporter, writeJsonl } from "@rag-ft/core";
import { axeViolations, type Browser, CHROMIUM, cutElements, LOOKS, launchChromium } from "@rag-ft/test-utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { review } from "./index.js";
import { predictionsOf } from "./testing/predictions.js";

if (CHROMIUM === undefined) console.log("No Chromium on this machine: the review page is not driven.");

describe.skipIf(CHROMIUM === undefined)("the review page in a browser", () => {
  const stopping = new AbortController();
  let browser: Browser;
  let folder: string;
  let address: string;
  let done: Promise<unknown>;
  beforeAll(async () => {
    browser = await launchChromium();
    folder = await mkdtemp(join(tmpdir(), "rag-ft-review-page-"));
    await writeJsonl(join(folder, "test-predictions.jsonl"), predictionsOf(6));
    const settings = review.settings.parse({ predictions: folder, port: 0 });
    address = await new Promise<string>((found) => {
      const info = (line: string): void => {
        const at = /http:\/\/127\.0\.0\.1:\d+\//.exec(line)?.[0];
        if (at) found(at);
      };
      const reporter = { ...silentReporter, info };
      done = review.run(settings, { reporter, signal: stopping.signal, env: { USER: "somebody" } });
    });
  });
  afterAll(async () => {
    stopping.abort();
    await done;
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  it.each(LOOKS)(
    "asks for a name, takes three labels by key, shows agreement; axe finds nothing (%i px, %s)",
    async (width, colorScheme) => {
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
      const page = await context.newPage();
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      await page.goto(address);
      expect(await page.getByLabel("Your name").inputValue()).toBe("somebody");
      expect(await axeViolations(page)).toEqual([]);
      const name = `${width} ${colorScheme}`;
      await page.getByLabel("Your name").fill(name);
      await page.keyboard.press("Enter");
      await page.getByText("question 0?").waitFor();
      for (const key of ["1", "4", "6"]) {
        await page.keyboard.press(key);
        await page
          .locator(`[aria-pressed="true"]:has(kbd:text-is("${key}")), .question:text-is("question 1?")`)
          .first()
          .waitFor();
      }
      await page.getByText("question 1?").waitFor();
      await page.getByText("1 of 6 labelled").waitFor();
      await page.getByText("Agreement of reviewers").click();
      await page.locator("#agreement-lines li").first().waitFor();
      expect(await cutElements(page)).toEqual([]);
      expect(await axeViolations(page)).toEqual([]);
      expect(problems).toEqual([]);
      const rows = await readJsonl(join(folder, "labels.jsonl"), answerLabelSchema, { what: "labels" });
      expect(new AnswerLabels(rows).ratings("harmlessness")[0]?.get(name)).toBe("harmless");
      await context.close();
    },
  );
});
