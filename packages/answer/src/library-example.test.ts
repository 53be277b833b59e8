import { isDocumented, whereExamplesRun } from "@rag-ft/test-utils";
import { expect, it } from "vitest";

it("does what the guide shows", async () => {
  const example = new URL("../examples/library.js", import.meta.url);
  expect(await isDocumented(example)).toBe(true);
  const output = await whereExamplesRun(() => import(example.href));
  expect(output).toMatch(/^-?0\.\d+ \w+\.md\n/);
  expect(output).toMatch(/\d+\n$/);
});
