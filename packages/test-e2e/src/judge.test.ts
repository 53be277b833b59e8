import { createDocument } from "@rag-ft/core";
import { JUDGE_FIGURES, measure } from "@rag-ft/metrics";
import { expect, test } from "vitest";
import { judgeAgreement } from "./judge-agreement.js";
import type { Judgement } from "./judge-answers.js";
import { JUDGE_PROMPT_SHA256, judgeMessages, parseVerdict, pickSecondPassage } from "./judge-prompt.js";
import { verdictCounts } from "./verdict-counts.js";

const verdictFigures = (judgement: Judgement): Record<string, number> => measure(JUDGE_FIGURES, judgement);

const passage = (text: string) => createDocument(text, { source: `https://docs.test/${text.length}` });

test.each([
  ['{"explanation": "It names the right flag.", "verdict": "correct"}', "correct"],
  ['```json\n{"explanation": "No flag.", "verdict": "Incorrect"}\n```', "incorrect"],
  ['Here is my verdict: {"verdict": "incorrect", "explanation": "It says {x}."} Done.', "incorrect"],
  // Cut, or not quite JSON.
  ['{"verdict": "correct", "explanation": "It is', "correct"],
  ['{\'explanation\': "x", "verdict": "incorrect",}', "incorrect"],
  // What the answer says about itself is quoted, and no verdict.
  ['{"explanation": "The answer claims \\"verdict\\": \\"correct\\" of itself', undefined],
  ['{"explanation": "It says \\"verdict\\": \\"correct\\".", "verdict": "incorrect"}', "incorrect"],
  ['{"explanation": "Half of it.", "verdict": "partly correct"}', undefined],
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

test("the judge is told of a question in another script, and English prompts stay what they were", () => {
  const systemFor = (question: string) =>
    judgeMessages({ question, answer: "a", gold: [passage("x")], retrieved: [] })[0]?.content ?? "";
  expect(systemFor("タイムアウトはどこで設定しますか？")).toBe(
    `${systemFor("q")}\n\nThe question is not in English. Judge what the answer says by the same rules. "correct" and "incorrect" stay English words.`,
  );
  expect(systemFor("Where is `検索` set?")).toBe(systemFor("q"));
});

test("the prompt's hash changes with its wording only", () => {
  expect(JUDGE_PROMPT_SHA256).toMatch(/^[0-9a-f]{64}$/);
  const [system] = judgeMessages({ question: "q", answer: "a", gold: [passage("x")], retrieved: [] });
  expect(system?.content).toContain('"verdict"');
});

test("accuracy is over parsed verdicts, its bounds over all answers; flips need two verdicts", () => {
  expect(verdictFigures({ verdict: "correct", reply: "" })).toEqual({
    gpt4_acc: 1,
    gpt4_acc_low: 1,
    gpt4_acc_high: 1,
  });
  expect(verdictFigures({ verdict: "incorrect", reply: "" })).toEqual({
    gpt4_acc: 0,
    gpt4_acc_low: 0,
    gpt4_acc_high: 0,
  });
  expect(verdictFigures({ verdict: "failed", reply: "" })).toEqual({ gpt4_acc_low: 0, gpt4_acc_high: 1 });
  const flips = (verdicts: Judgement["verdicts"]) =>
    verdictFigures({ verdict: "correct", reply: "", verdicts }).gpt4_flip_rate;
  expect(flips(["correct", "correct", "incorrect"])).toBe(1);
  expect(flips(["correct", "unparsed", "correct"])).toBe(0);
  expect(flips(["correct", "failed"])).toBeUndefined();
  const outcomes: Judgement["verdict"][] = ["correct", "correct", "incorrect", "unparsed", "failed"];
  expect(verdictCounts(outcomes.map((verdict) => ({ verdict, reply: "" })))).toEqual({
    gpt4_parsed: 3,
    gpt4_unparsed: 1,
    gpt4_failed: 1,
  });
});

test("kappa of judge and people, worked out by hand; a retrieval fault is not correct", () => {
  const pair = (verdict: Judgement["verdict"], label: "correct" | "incorrect" | "retrieval_fault" | undefined) => ({
    judgement: { verdict, reply: "" },
    label,
  });
  const pairs = [
    ...Array.from({ length: 4 }, () => pair("correct", "correct")),
    pair("correct", "incorrect"),
    pair("incorrect", "correct"),
    ...Array.from({ length: 2 }, () => pair("incorrect", "retrieval_fault")),
    ...Array.from({ length: 2 }, () => pair("incorrect", "incorrect")),
    pair("unparsed", "correct"),
    pair("correct", undefined),
  ];
  // Both say correct of 5 in 10: by chance they agree on half; 8 of 10 seen.
  expect(judgeAgreement(pairs, 0)).toMatchObject({
    labels: 10,
    observed: 0.8,
    kappa: expect.closeTo(0.6, 12),
    table: { correct: { correct: 4, not_correct: 1 }, incorrect: { correct: 1, not_correct: 4 } },
  });
  const [low, high] = judgeAgreement(pairs, 0)?.kappa_ci95 ?? [0, 0];
  expect(low).toBeLessThan(0.6);
  expect(high).toBeGreaterThan(0.6);
  expect(judgeAgreement([pair("correct", "correct"), pair("correct", "correct")], 0)).not.toHaveProperty("kappa");
  expect(judgeAgreement([pair("failed", "correct")], 0)).toBeUndefined();
});

test("the judge reads the dialogue before the question, and prompts without one stay what they were", () => {
  const item = { question: "And now?", answer: "a", gold: [passage("x")], retrieved: [] };
  const plain = judgeMessages(item);
  expect(judgeMessages({ ...item, history: [] })).toEqual(plain);
  const history = [
    { speaker: "user", message: "What is x?" },
    { speaker: "assistant", message: "A thing." },
  ];
  const [system, user] = judgeMessages({ ...item, history });
  const before = "<dialogue>\nUser: What is x?\nSystem: A thing.\n</dialogue>\n\n<question>";
  expect(user?.content).toBe(plain[1]?.content.replace("<question>", before));
  expect(system?.content.startsWith(`${plain[0]?.content}\n\nThe question is the last turn of a dialogue`)).toBe(true);
});
