import { describe, expect, it } from "vitest";
import { parseQuestions } from "./parse-questions.js";

describe("parseQuestions", () => {
  it.each([
    ["What is a job?\nQuestion 2: How is it started?", ["What is a job?", "How is it started?"]],
    ["Question 1: What is a job?\n\nQuestion 2: How is it started?\n", ["What is a job?", "How is it started?"]],
    ["**Question 1:** What is a job?\n**Question 2:** How?", ["What is a job?", "How?"]],
    ["1. What is a job?\n2. How is it started?", ["What is a job?", "How is it started?"]],
    ["Questions:\nQuestion 1: What is a job?", ["What is a job?"]],
    ["Question 1: What is a job?\nQuestion 2: what is a job?", ["What is a job?"]],
    ["Question 1: Explain jobs.\nQuestion 2: How is it started?", ["How is it started?"]],
    ['"What is a job?"', ["What is a job?"]],
    ["What is a job?\nAnd why do I ask?", ["What is a job?"]],
    ["Q1: A one?\nQ2: A two?\nQ3: A three?", ["A one?", "A two?"]],
    ["Question: 1. How is it done?\nQuestion: Who does it?", ["How is it done?", "Who does it?"]],
    ["I cannot help with that.", []],
    ["", []],
  ])("%j", (reply, questions) => {
    expect(parseQuestions(reply)).toEqual(questions);
  });
});
