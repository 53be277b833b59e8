import { describeIssues, UserError } from "@rag-ft/core";
import { expect, it } from "vitest";
import { z } from "zod";
import { trainingSettings } from "../training-settings.js";
import { type LoraSettings, loraSettings } from "./lora-settings.js";

const schema = z.object(trainingSettings);
const read = (values: Record<string, unknown>): LoraSettings | undefined =>
  loraSettings(schema.parse({ output_dir: "x", ...values }));

it("a rank asks for adapters; alpha is twice the rank, on all linear layers, unless told otherwise", () => {
  expect(read({})).toBeUndefined();
  expect(read({ lora_r: "8", seed: "3" })).toEqual({ r: 8, alpha: 16, targets: ["all-linear"], seed: 3 });
  expect(read({ lora_r: 4, lora_alpha: "32", lora_dropout: "0", lora_target_modules: "q_proj, v_proj" })).toEqual({
    r: 4,
    alpha: 32,
    targets: ["q_proj", "v_proj"],
    seed: 42,
  });
  expect(read({ lora_r: 4, lora_target_modules: ["query"] })?.targets).toEqual(["query"]);
});

it("other settings without a rank are a mistake", () => {
  expect(() => read({ lora_alpha: 16 })).toThrow(UserError);
  expect(() => read({ lora_alpha: 16 })).toThrow(/lora_alpha is given, but lora_r is 0.*lora_r, such as 8/);
  expect(() => read({ lora_target_modules: "query" })).toThrow(/lora_target_modules is given/);
});

it.each([
  [{ lora_r: 8, lora_dropout: "0.1" }, /lora_dropout: .*only 0 is supported/],
  [{ lora_r: -1 }, /lora_r/],
  [{ lora_r: 2.5 }, /lora_r/],
  [{ lora_r: 8, lora_alpha: 0 }, /lora_alpha/],
  [{ lora_r: 8, lora_target_modules: "q_proj,," }, /lora_target_modules/],
])("%j is refused", (values, message) => {
  const parsed = schema.safeParse({ output_dir: "x", ...values });
  expect(parsed.error && describeIssues(parsed.error)).toMatch(message);
});
