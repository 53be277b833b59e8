import { createDocument } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { extractiveAnswer } from "./extractive-answer.js";
import { extractiveQuestions } from "./extractive-questions.js";
import { splitSentences } from "./sentences.js";
import { subjectOf } from "./subject.js";
import { baseOfGerund, baseOfThirdPerson } from "./wording.js";

const page = (text: string) => createDocument(text, { source: "paperclip/README.md", title: "paperclip" });
const ask = (text: string) => extractiveQuestions(page(text)).map((found) => found.question);

describe("extractiveQuestions", () => {
  it.each([
    ["Paperclip is a small library that keeps sheets together.", "What is Paperclip?"],
    ["# paperclip\n\n> Keep loose sheets of a stack together", "What is the purpose of paperclip?"],
    ["`fasten(sheets)` returns a handle that opens the stack again later.", "What does fasten return in paperclip?"],
    ["To fasten your sheets, pass them all to the clip at once.", undefined],
    [
      "To remove your sheets from a stack, call the release method with a handle.",
      "How do I remove my sheets from a stack with paperclip?",
    ],
    [
      "If you want to sort a stack, call the order method before it is fastened.",
      "How do I sort a stack with paperclip?",
    ],
    [
      "Use the `width` option to change the size of the metal wire.",
      "How do I change the size of the metal wire with paperclip?",
    ],
    [
      "You can limit the number of sheets by passing a maximum to the constructor.",
      "How can I limit the number of sheets in paperclip?",
    ],
    [
      "If a stack is too thick, the function throws an error with the measured width.",
      "What happens if a stack is too thick in paperclip?",
    ],
    [
      "## Options\n\n### wireColor\n\nType: `string`\n\nThe colour of the wire in the drawing of the stack.",
      "What does the wireColor option do in paperclip?",
    ],
    [
      "## Removing sheets\n\nPull at the wire until the first sheet comes off.",
      "How do I remove sheets with paperclip?",
    ],
    [
      "## Default values\n\nEvery wire has a width of one millimetre unless told otherwise.",
      "What does paperclip say about default values?",
    ],
    [
      "## Options\n\n- `maxSheets` (number): The largest number of sheets a clip can hold.",
      "What does the maxSheets option do in paperclip?",
    ],
    [
      "## Why is the wire so thin?\n\nA thick wire would leave marks on the first sheet.",
      "Why is the wire so thin in paperclip?",
    ],
  ])("%s", (text, question) => {
    if (question === undefined) expect(ask(text)).toEqual([]);
    else expect(ask(text)).toContain(question);
  });

  it.each([
    "```js\nconst clip = new Clip();\n```",
    "| a | b |\n|---|---|\n| The table is a thing that holds values. | x |",
    "MIT",
    "[![Build](https://ci/x.svg)](https://ci) [![npm](https://n/x.svg)](https://n)",
    "It is a thing that they keep there. This is why those are here again.",
    "",
  ])("asks nothing of a passage without prose that stands alone: %j", (text) => {
    expect(ask(text)).toEqual([]);
  });

  it("gives two different questions at most, whose answers stand in the passage and are not echoed", () => {
    const text =
      "# paperclip\n\nPaperclip is a [small library](https://example.com) that keeps sheets\ntogether. To remove a sheet, call the release method with a handle. If a stack is too thick, the function throws an error with its width.";
    const found = extractiveQuestions(page(text));
    expect(found).toHaveLength(2);
    expect(new Set(found.map((item) => item.question)).size).toBe(2);
    const shown = text.replace("[small library](https://example.com)", "small library").replace(/\s+/g, " ");
    for (const { question, answer } of found) {
      expect(question.endsWith("?")).toBe(true);
      expect(shown).toContain(answer);
      expect(extractiveAnswer(page(text), question)).toBe(answer);
    }
    expect(extractiveQuestions(page(text))).toEqual(found);
  });
});

describe("extractiveAnswer", () => {
  const passage = page("The wire bends at ninety degrees when pulled. Sheets of any colour can be held by a clip.");
  it("takes the sentence that shares most with a question no rule made", () => {
    expect(extractiveAnswer(passage, "Which colour of sheets may I hold?")).toBe(
      "Sheets of any colour can be held by a clip.",
    );
  });
  it("has no answer when nothing is shared", () => {
    expect(extractiveAnswer(passage, "Where do zebras live?")).toBeUndefined();
  });
});

it("knows what a page is about", () => {
  const subject = (source: string, title?: string) => subjectOf({ metadata: { source, title } });
  expect(subject("@scope/name/docs/page.md")).toBe("@scope/name");
  expect(subject("/x/node_modules/p-limit/readme.md")).toBe("p-limit");
  expect(subject("docs/install.md", "Install the tool")).toBe("Install the tool");
  expect(subject("https://example.com/a.html", "Gates | Example Docs")).toBe("Gates");
  expect(subject("https://example.com/a.html")).toBeUndefined();
  expect(subject("https://example.com/a.html", "How do I pay?")).toBeUndefined();
});

it("cuts sentences at full stops, not at abbreviations or dots in names", () => {
  expect(splitSentences("Use e.g. `Node.js` here. Then stop! Version 1.2 works.")).toEqual([
    "Use e.g. `Node.js` here.",
    "Then stop!",
    "Version 1.2 works.",
  ]);
});

it("knows verbs", () => {
  expect(["parses", "applies", "does", "passes"].map(baseOfThirdPerson)).toEqual(["parse", "apply", "do", "pass"]);
  expect(["parsing", "running", "string", "something", "adding"].map(baseOfGerund)).toEqual([
    "parse",
    "run",
    undefined,
    undefined,
    "add",
  ]);
  expect(baseOfThirdPerson("constructor")).toBeUndefined();
});
