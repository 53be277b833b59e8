import { describe, expect, it } from "vitest";
import { AnswerLabels, answerLabelSchema } from "./index.js";

const row = (labeller: string, more: object) => answerLabelSchema.parse({ question_id: "q", labeller, ...more });

describe("AnswerLabels", () => {
  it("counts each reviewer once, by their last row, and takes what most say, kind by kind", () => {
    const labels = new AnswerLabels([
      row("a", { label: "correct", helpfulness: "helpful", generated_answer: "x " }),
      row("a", { label: "incorrect", generated_answer: "x" }),
      row("b", { label: "incorrect", helpfulness: "helpful", generated_answer: "x" }),
      row("c", { label: "correct", helpfulness: "unhelpful", harmlessness: "harmless", generated_answer: "x" }),
    ]);
    expect(labels.size).toBe(1);
    expect(labels.reviewers).toEqual(["a", "b", "c"]);
    expect(labels.of("q", "x")).toEqual({
      reviewers: 3,
      label: "incorrect",
      harmlessness: "harmless",
      split: ["helpfulness"],
    });
    expect(labels.ratings("helpfulness")).toEqual([
      new Map([
        ["b", "helpful"],
        ["c", "unhelpful"],
      ]),
    ]);
  });

  it("gives a label without an answer to whatever was answered", () => {
    const labels = new AnswerLabels([
      row("a", { label: "correct" }),
      row("a", { label: "incorrect", generated_answer: "y" }),
    ]);
    expect([labels.of("q", "x")?.label, labels.of("q", "y")?.label]).toEqual(["correct", "incorrect"]);
    expect(labels.of("other", "x")).toBeUndefined();
  });
});

describe("answerLabelSchema", () => {
  it("wants at least one kind, with a value that there is", () => {
    expect(answerLabelSchema.safeParse({ question_id: "q", note: "?" }).error?.issues[0]?.message).toMatch(
      /expected one of correct/,
    );
    expect(answerLabelSchema.safeParse({ question_id: "q", harmlessness: "bad" }).success).toBe(false);
    expect(row("a", { harmlessness: "harmful", more: 1 })).toMatchObject({ more: 1 });
  });
});
