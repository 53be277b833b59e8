import { createDocument } from "@rag-ft/core";
import { expect, it } from "vitest";
import { extractiveAnswer } from "./extractive-answer.js";
import { extractiveQuestions } from "./extractive-questions.js";
import { EXTRACTIVE_KINDS, extractiveQuestionsOfKind } from "./question-kinds.js";

const passage = createDocument(
  [
    "# gate-keeper",
    "",
    "## Opening a gate",
    "",
    "The gate is opened with the key that the keeper keeps in his pocket, and shut again by hand.",
    "",
    "## Problems",
    "",
    "The program prints `Error: gate is not found` when the name of the gate is misspelt in the file.",
    "",
    "## timeout",
    "",
    "The timeout option sets the number of seconds that the gate stays open before it shuts by itself.",
  ].join("\n"),
  { source: "gate-keeper/readme.md", title: "gate-keeper" },
);

it("how-to questions, searches and messages by rules, each answered by the passage", () => {
  const of = (kind: (typeof EXTRACTIVE_KINDS)[number]) => extractiveQuestionsOfKind(passage, kind);
  expect(of("full")).toEqual(extractiveQuestions(passage).map(({ question }) => question));
  expect(of("how_to")).toEqual(["How do I open a gate with gate-keeper?"]);
  expect(of("error_message")).toEqual(["Error: gate is not found"]);
  for (const search of of("keywords")) {
    expect(search).not.toMatch(/\?|\b(?:what|how|do|does|the|an?)\b/i);
    expect(search.split(" ").length).toBeGreaterThan(1);
  }
  expect(of("keywords").length).toBeGreaterThan(0);
  for (const kind of EXTRACTIVE_KINDS)
    for (const question of of(kind)) expect(extractiveAnswer(passage, question), question).toBeTruthy();
  expect(extractiveAnswer(passage, "Error: gate is not found")).toContain("misspelt");
});

it("no dialogue and no question over two passages, and no message where none is quoted", () => {
  expect(extractiveQuestionsOfKind(passage, "follow_up")).toEqual([]);
  expect(extractiveQuestionsOfKind(passage, "two_passages")).toEqual([]);
  const plain = createDocument('It says "hello to all of you" and nothing else.', { source: "a.md" });
  expect(extractiveQuestionsOfKind(plain, "error_message")).toEqual([]);
});
