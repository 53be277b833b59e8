import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createDocument, silentReporter, writeJsonl } from "@rag-ft/core";
import {
  axeViolations,
  type Browser,
  CHROMIUM,
  cutElements,
  LOOKS,
  type Locator,
  launchChromium,
} from "@rag-ft/test-utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { report } from "./index.js";
import { writeSmallRun } from "./testing/write-run.js";
import { writeTwoByTwo } from "./testing/write-two-by-two.js";

if (CHROMIUM === undefined) console.log("No Chromium on this machine: the report is not looked at.");

const FENCE = "```";
const LINE = `setProxy("http://proxy.example.test:8080", ${"{ retries: 3 }, ".repeat(20)});`;
const CODE = createDocument(`Call \`setProxy\` as one two three so:\n${FENCE}js\n${LINE}\n${FENCE}\nThat is all.`, {
  source: "https://docs.test/proxy",
  title: "Proxy",
  headings: ["Proxy", "Set it"],
  link: "https://docs.test/proxy#set",
});

describe.skipIf(CHROMIUM === undefined)("the report in a browser", () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    browser = await launchChromium();
    folder = await mkdtemp(join(tmpdir(), "rag-ft-report-page-"));
    await writeSmallRun(folder, { intervals: true });
    await writeTwoByTwo(folder);
    // Each question's share of the figures, by which the change has an interval.
    for (const [test, shares] of [
      ["test-0", [0.2, 0.3, 0.25, 0.25]],
      ["test-1", [0.7, 0.8, 0.8, 0.7]],
    ] as const) {
      const path = join(folder, test, "test-predictions.jsonl");
      const lines = (await readFile(path, "utf8")).trim().split("\n");
      const rows = lines.map((line, i) => ({ ...JSON.parse(line), figures: { "test_gen/rougeL": shares[i] } }));
      rows[1].retrieved_docs = [CODE, createDocument("Not to be opened.", { source: "javascript:alert(1)" })];
      await writeJsonl(path, rows);
    }
    const settings = report.settings.parse({ run_dir: folder });
    await report.run(settings, { reporter: silentReporter, signal: new AbortController().signal, env: {} });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  it.each(LOOKS)(
    "begins with a verdict, renders passages, cuts nothing; axe finds nothing (%i px, %s)",
    async (width, colorScheme) => {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
      const page = await context.newPage();
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      await page.goto(pathToFileURL(join(folder, "report.html")).href);
      const verdict = page.getByRole("region", { name: "Verdict" });
      expect(await verdict.textContent()).toMatch(
        /The fine-tuned system answers better than the base, beyond chance: ROUGE-L/,
      );
      expect(await verdict.getByRole("listitem").count()).toBeGreaterThan(0);
      // On the first screen, before any other figure.
      expect((await verdict.boundingBox())?.y ?? 900).toBeLessThan(200);

      const row = page.locator("#rows > li").nth(1);
      await row.locator("summary").click();
      const [passage, other] = [0, 1].map((place) => row.locator(".passage").nth(place)) as [Locator, Locator];
      expect(await passage.getByRole("link").getAttribute("href")).toBe("https://docs.test/proxy#set");
      expect(await passage.locator(".passage-head").textContent()).toContain(
        "Proxy > Set it · https://docs.test/proxy",
      );
      expect(await passage.locator(".text > code").textContent()).toBe("setProxy");
      expect(await passage.locator("pre code").textContent()).toBe(LINE);
      expect(await passage.locator("mark").allTextContents()).toEqual(["one two three"]);
      const code = passage.locator("pre.scroll");
      const style = (name: string): Promise<string> =>
        page.evaluate<string>(
          `getComputedStyle(document.querySelector("#rows > li:nth-child(2) pre.scroll")).getPropertyValue("${name}")`,
        );
      expect(await style("font-family")).toContain("monospace");
      expect(await other.getByRole("link").count()).toBe(0);

      await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
      expect(await cutElements(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      // What scrolls shows it: shadows are painted at its edges.
      expect(await code.evaluate((node) => node.scrollWidth > node.clientWidth)).toBe(true);
      expect((await style("background-image")).split("linear-gradient")).toHaveLength(5);
      expect(await axeViolations(page)).toEqual([]);
      expect(problems).toEqual([]);
      await context.close();
    },
  );
});
