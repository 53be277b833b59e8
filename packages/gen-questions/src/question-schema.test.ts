import { describe, expect, it } from "vitest";
import { questionSchema, questionsOf } from "./question-schema.js";

describe("questionsOf", () => {
  const two = ["How is a gate opened?", "When does it close?"];
  it.each([
    ["JSON of the schema", JSON.stringify({ questions: two })],
    ["JSON in a fence", `\`\`\`json\n${JSON.stringify({ questions: two }, null, 2)}\n\`\`\``],
    ["labels inside", JSON.stringify({ questions: two.map((text, i) => `Question ${i + 1}: ${text}`) })],
    ["lines of text", `Question 1: ${two[0]}\nQuestion 2: ${two[1]}`],
  ])("reads %s", (_, reply) => {
    expect(questionsOf(reply)).toEqual(two);
  });

  it("keeps at most two, nothing twice, nothing that is no question", () => {
    expect(questionsOf(JSON.stringify({ questions: [two[0], two[0], "A statement.", 7, two[1], "More?"] }))).toEqual(
      two,
    );
    expect(questionsOf('{"questions": ["How is a ga')).toEqual([]);
    expect(questionsOf(JSON.stringify({ other: 1 }))).toEqual([]);
  });
});

it("a schema is asked for unless it is switched off or the model runs here", () => {
  expect(questionSchema({ structured_outputs: "auto", prompt_model: "gpt-x" })?.name).toBe("questions");
  expect(questionSchema({ structured_outputs: "off", prompt_model: "gpt-x" })).toBeUndefined();
  expect(questionSchema({ structured_outputs: "auto", prompt_model: "local:x" })).toBeUndefined();
});
