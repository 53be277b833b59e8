import { createDocument } from "@rag-ft/core";
import { expect, test } from "vitest";
import { type Judgement, judgeFigures } from "./judge-answers.js";
import { judgeMessages, parseVerdict, pickSecondPassage } from "./judge-prompt.js";

const passage = (text: string) => createDocument(text, { source: `https://docs.test/${text.length}` });

test.each([
  ["It names the right flag.\nCorrectness: [[correct]]", "correct"],
  ["It names no flag.\nCorrectness: [[incorrect]]", "incorrect"],
  ["**Correctness:** [[Incorrect]]", "incorrect"],
  ["**Correctness**: **[[correct]]**.", "correct"],
  ["correctness : [[ CORRECT ]]", "correct"],
  // The format repeated before the verdict: the last one counts.
  ["I end with Correctness: [[correct]] or Correctness: [[incorrect]].\nCorrectness: [[incorrect]]", "incorrect"],
  ["Correctness: correct", undefined],
  ["[[correct]]", undefined],
  ["Correctness: [[partially correct]]", undefined],
  ["", undefined],
])("verdict of %j", (reply, verdict) => {
  expect(parseVerdict(reply)).toBe(verdict);
});

test("the second passage is the best-ranked one that is not nearly equal to a gold one, either way round", () => {
  const gold = passage("set the minimum number of workers of the cluster");
  const longer = passage(`set the minimum number of workers of the cluster ${"and more besides ".repeat(20)}`);
  const shorter = passage("minimum number of workers");
  const other = passage("grant select on a table to a group");
  expect(pickSecondPassage([gold], [gold, longer, shorter, other])).toBe(other);
  expect(pickSecondPassage([gold], [gold, longer])).toBeUndefined();
  const [, user] = judgeMessages({ question: "How?", answer: "So.", gold: [gold], retrieved: [longer, other] });
  expect(user?.content).toContain(other.fmt_content);
  expect(user?.content).not.toContain("and more besides");
});

test("accuracy is over parsed verdicts, its bounds over all answers", () => {
  const verdicts: Judgement["verdict"][] = ["correct", "correct", "incorrect", "unparsed", "failed"];
  expect(judgeFigures(verdicts.map((verdict) => ({ verdict, reply: "" })))).toEqual({
    gpt4_acc: 2 / 3,
    gpt4_acc_low: 2 / 5,
    gpt4_acc_high: 4 / 5,
    gpt4_parsed: 3,
    gpt4_unparsed: 1,
    gpt4_failed: 1,
  });
  expect(judgeFigures([{ verdict: "failed", reply: "" }])).not.toHaveProperty("gpt4_acc");
});
