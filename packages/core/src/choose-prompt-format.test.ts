import { expect, it } from "vitest";
import { choosePromptFormat } from "./choose-prompt-format.js";
import { defaultPromptFormat, type PromptFormat } from "./rag-prompt.js";

const saved: PromptFormat = { ...defaultPromptFormat, user_prefix: "<|im_start|>user\n", sep_sys: "<|im_end|>" };

it("is the checkpoint's, then ours; flags overrule single parts, empty ones too", () => {
  expect(choosePromptFormat(undefined, {})).toEqual(defaultPromptFormat);
  expect(choosePromptFormat(saved, {})).toEqual(saved);
  expect(choosePromptFormat(saved, { sep_sys: "", user_prefix: "Q" })).toEqual({
    ...saved,
    sep_sys: "",
    user_prefix: "Q",
  });
});
