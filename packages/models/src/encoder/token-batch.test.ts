import { expect, it } from "vitest";
import { TOKENS_PER_RUN, tokensPerRun } from "./token-batch.js";

it("runs are long where each of them copies all weights", () => {
  expect(tokensPerRun(TOKENS_PER_RUN)).toBe(TOKENS_PER_RUN);
  expect(tokensPerRun(2048, "cpu")).toBe(2048);
  expect(tokensPerRun(2048, "webgpu")).toBe(2048);
  expect(tokensPerRun(2048, "cuda")).toBe(8192);
});
