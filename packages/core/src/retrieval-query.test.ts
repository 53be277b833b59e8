import { expect, it } from "vitest";
import { retrievalQuery } from "./retrieval-query.js";

const user = (message: string) => ({ speaker: "User", message });
const system = (message: string) => ({ speaker: "Assistant", message });

it("a question without a dialogue is the query, character by character", () => {
  expect(retrievalQuery({ question: "  What is a proxy? " })).toBe("  What is a proxy? ");
  expect(retrievalQuery({ question: "Why?", chat_history: [] })).toBe("Why?");
});

it("the last two user turns stand before the question, and no answer does", () => {
  const chat_history = [user("one"), system("a"), user(" two "), system("b"), user(" "), user("three"), system("c")];
  expect(retrievalQuery({ question: "And then?", chat_history })).toBe("two\nthree\nAnd then?");
  expect(retrievalQuery({ question: "And then?", chat_history: [system("Hello.")] })).toBe("And then?");
});
