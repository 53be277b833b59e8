import { readFile } from "node:fs/promises";
import { axeViolations, type Browser, CHROMIUM, launchChromium, type Page } from "@rag-ft/test-utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../testing/start-test-server.js";

if (CHROMIUM === undefined) console.log("No Chromium on this machine: the chat page is not driven.");

describe.skipIf(CHROMIUM === undefined)("the chat page in a browser", () => {
  let browser: Browser;
  let server: TestServer;
  let hold: (() => void) | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
    server = await startTestServer({
      settings: { follow_ups: "turns" },
      model: {
        reply: async ({ messages }) => {
          const question = messages.at(-1)?.content ?? "";
          if (question.includes("slowly")) await new Promise<void>((resolve) => (hold = resolve));
          if (question.includes("cite")) return "Blue boats float [1], says nobody [9]. Use `boat[1]`.";
          return question.includes("trains")
            ? "<script>document.title = 'broken'</script>\n```sh\nboat --blue\n```\nDone."
            : "Blue boats float on the lake.";
        },
      },
    });
  });
  afterAll(async () => {
    hold?.();
    await browser?.close();
    await server?.close();
  });

  const ask = async (page: Page, question: string): Promise<void> => {
    await page.getByLabel("Question", { exact: true }).fill(question);
    await page.keyboard.press("Enter");
  };

  it.each([
    [400, "light"],
    [1280, "dark"],
  ] as const)(
    "asks, opens a citation, votes, goes on after a reload; axe finds nothing (%i px, %s)",
    async (width, colorScheme) => {
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
      const page = await context.newPage();
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      await page.goto(server.address);
      expect(await axeViolations(page)).toEqual([]);

      await ask(page, "Which boats float?");
      await page.getByText("Blue boats float on the lake.").waitFor();
      await page.getByRole("button", { name: "[1] Boats > Blue" }).click();
      const dialog = page.getByRole("dialog");
      expect(await dialog.locator("mark").allTextContents()).toContain("Blue boats float on the lake");
      expect(await dialog.locator("pre code").textContent()).toBe("boat --blue");
      expect(await dialog.getByRole("link").getAttribute("href")).toBe("https://docs.test/boats#blue");
      expect(await axeViolations(page)).toEqual([]);
      await page.keyboard.press("Escape");

      await page.getByRole("button", { name: "Good answer" }).click();
      await page.getByRole("button", { name: "Good answer", pressed: true }).waitFor();
      await page.reload();
      await page.getByRole("button", { name: "Good answer", pressed: true }).waitFor();
      await ask(page, "And which trains?");
      await page.getByText("Done.").waitFor();
      expect(await page.locator(".answer pre code").last().textContent()).toBe("boat --blue");
      expect(await page.title()).toBe("Ask – rag-ft");
      expect(server.model.requests.at(-1)?.body?.messages.map(({ role }) => role)).toEqual([
        "system",
        "user",
        "assistant",
        "user",
      ]);
      expect(await axeViolations(page)).toEqual([]);
      await page.getByRole("button", { name: "New conversation" }).click();
      await ask(page, "Which green trains run?");
      await page.getByRole("button", { name: /A heading that is much longer/ }).waitFor();
      // Nothing is wider than the screen.
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      expect(problems).toEqual([]);
      const rows = (await readFile(server.turnsFile, "utf8"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { vote?: string });
      expect(rows.at(-1)).toMatchObject({ kind: "vote", vote: "up" });
      await context.close();
    },
  );

  it("citations in an answer open their passages; numbers of none, and those in code, stay as they are", async () => {
    const page = await browser.newPage();
    await page.goto(server.address);
    await ask(page, "Which boats float? Please cite.");
    await page.getByText("says nobody [9].").waitFor();
    expect(await page.locator(".answer button").allTextContents()).toEqual(["[1]"]);
    expect(await page.locator(".answer").textContent()).toBe("Blue boats float [1], says nobody [9]. Use boat[1].");
    await page.getByRole("button", { name: "Passage 1: Boats > Blue" }).click();
    expect(await page.getByRole("dialog").getByRole("link").getAttribute("href")).toBe("https://docs.test/boats#blue");
    expect(await axeViolations(page)).toEqual([]);
    await page.close();
  });

  it("stops an answer, and answers again", async () => {
    const page = await browser.newPage();
    await page.goto(server.address);
    await ask(page, "Answer slowly, please");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped.").waitFor();
    hold?.();
    await page.getByRole("button", { name: "New conversation" }).click();
    await ask(page, "Which boats float?");
    await page.getByText("Blue boats float on the lake.").waitFor();
    const before = server.model.requests.length;
    await page.getByRole("button", { name: "Answer again" }).click();
    await expect.poll(() => server.model.requests.length).toBe(before + 1);
    await page.getByText("Blue boats float on the lake.").waitFor();
    expect(server.model.requests.at(-1)?.body?.messages).toHaveLength(2);
    await page.close();
  });
});
