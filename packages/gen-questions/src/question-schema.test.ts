import { expect, it } from "vitest";
import { questionSchema } from "./question-schema.js";

it("a schema is asked for unless it is switched off or the model runs here", () => {
  expect(questionSchema({ structured_outputs: "auto", prompt_model: "gpt-x" })?.name).toBe("questions");
  expect(questionSchema({ structured_outputs: "off", prompt_model: "gpt-x" })).toBeUndefined();
  expect(questionSchema({ structured_outputs: "auto", prompt_model: "local:x" })).toBeUndefined();
});
