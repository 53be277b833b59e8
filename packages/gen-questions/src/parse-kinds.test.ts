import { describe, expect, it } from "vitest";
import { parseKind } from "./parse-kinds.js";

describe("searches and messages", () => {
  it.each([
    [
      "Search 1: proxy environment variable\nSearch 2: set https proxy",
      ["proxy environment variable", "set https proxy"],
    ],
    ['{"searches": ["proxy variable", "https proxy"]}', ["proxy variable", "https proxy"]],
    ['Here are two searches:\n1. `proxy variable`\n2. "https proxy"', ["proxy variable", "https proxy"]],
    ["**Search 1:** proxy variable", ["proxy variable"]],
    ["proxy variable\nhttps proxy\nno proxy list", ["proxy variable", "https proxy"]],
    ["None.", []],
    ['{"searches": []}', []],
    ["Search 1: proxy\nSearch 2: Proxy", ["proxy"]],
    ["The passage is about how a proxy can be set with a variable and what happens then.", []],
  ])("%j", (reply, questions) => {
    expect(parseKind(reply, "keywords")).toEqual({ questions });
  });

  it("messages may be long, with colons and quotation marks within", () => {
    const reply =
      'Search 1: Error: connect ECONNREFUSED 127.0.0.1:80 - what is wrong?\nSearch 2: "permission denied" on start';
    expect(parseKind(reply, "error_message").questions).toEqual([
      "Error: connect ECONNREFUSED 127.0.0.1:80 - what is wrong?",
      '"permission denied" on start',
    ]);
  });
});

describe("follow-ups", () => {
  const dialogue = {
    questions: ["And without it?"],
    chat_history: [
      { speaker: "user", message: "How do I set a proxy?" },
      { speaker: "assistant", message: "With HTTPS_PROXY." },
    ],
  };
  it.each([
    "Question: How do I set a proxy?\nAnswer: With HTTPS_PROXY.\nFollow-up: And without it?",
    "**Question:** How do I set a proxy?\n\n**Answer:** With HTTPS_PROXY.\n\n**Follow-up:** And without it?",
    '```json\n{"question": "How do I set a proxy?", "answer": "With HTTPS_PROXY.", "follow_up": "And without it?"}\n```',
    "Question: How do I set a proxy?\nAnswer: With\nHTTPS_PROXY.\nFollow up question: And without it?",
  ])("%j", (reply) => {
    expect(parseKind(reply, "follow_up")).toEqual(dialogue);
  });
  it("without all three parts there is none", () => {
    expect(parseKind("Question: How?\nAnswer: So.", "follow_up")).toEqual({ questions: [] });
    expect(parseKind("Why?", "follow_up")).toEqual({ questions: [] });
  });
});

it("questions with marks are read as ever; over two passages there is one", () => {
  const reply = "Question 1: How do I set a proxy?\nQuestion 2: What is it for?";
  expect(parseKind(reply, undefined).questions).toHaveLength(2);
  expect(parseKind(reply, "how_to").questions).toHaveLength(2);
  expect(parseKind(reply, "two_passages").questions).toEqual(["How do I set a proxy?"]);
  expect(parseKind("None.", "two_passages").questions).toEqual([]);
});
