import { expect, it } from "vitest";
import { choosePrompt, choosePromptFormat } from "./choose-prompt-format.js";
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

it("is the model's template when it has one and no flag gives a part; a checkpoint's own way goes first", () => {
  const template = { prompt: "chat_template", system_text: defaultPromptFormat.system_text, enable_thinking: false };
  expect(choosePrompt(undefined, {}, true)).toEqual(template);
  expect(choosePrompt(undefined, {}, false)).toEqual(defaultPromptFormat);
  expect(choosePrompt(undefined, { system_text: "S", enable_thinking: true }, true)).toEqual({
    ...template,
    system_text: "S",
    enable_thinking: true,
  });
  expect(choosePrompt(saved, { system_text: "S" }, true)).toEqual({ ...saved, system_text: "S" });
  expect(choosePrompt(undefined, { sep_user: "" }, true)).toEqual({ ...defaultPromptFormat, sep_user: "" });
  const thinks = { prompt: "chat_template", system_text: "T", enable_thinking: true } as const;
  expect(choosePrompt(thinks, {}, true)).toEqual(thinks);
  expect(choosePrompt(thinks, { enable_thinking: false }, true)).toEqual({ ...thinks, enable_thinking: false });
  expect(choosePrompt(thinks, { user_prefix: "Q" }, true)).toEqual({ ...defaultPromptFormat, user_prefix: "Q" });
});
