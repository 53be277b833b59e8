import type { Tokenizer } from "@rag-ft/models";
import { expect, it } from "vitest";
import { readCompletion } from "../replies/check-reply.js";
import { shownText } from "./shown-text.js";

/** Words by number; those in angle brackets are special. */
const WORDS = ["<s>", "[THINK]", "[/THINK]", "hm", "yes", "no"];
const tokenizer: Pick<Tokenizer, "tokenId" | "decode"> = {
  tokenId: (token) => (WORDS.includes(token) ? WORDS.indexOf(token) : undefined),
  decode: (ids, { skipSpecial } = {}) =>
    ids
      .map((id) => WORDS[id] ?? "")
      .filter((word) => !(skipSpecial && /^[<[]/.test(word)))
      .join(" "),
};

it("keeps the marks of thoughts that are special tokens, so that thoughts are not taken for the answer", () => {
  const show = (words: string): string =>
    shownText(
      tokenizer as Tokenizer,
      words.split(" ").map((word) => WORDS.indexOf(word)),
    );
  expect(show("yes no <s>")).toBe("yes no");
  const text = show("[THINK] hm no [/THINK] yes <s>");
  expect(text).toBe("[THINK]hm no[/THINK]yes");
  expect(readCompletion({ text, finish_reason: "stop" }).text).toBe("yes");
  expect(readCompletion({ text: show("[THINK] hm hm"), finish_reason: "length" })).toMatchObject({
    text: "",
    unfinished: true,
  });
});
