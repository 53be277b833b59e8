import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ANSWER_FIGURES, AnsweredQuestion, wantsUnicodeFigures } from "./answer-figures.js";
import { CITATION_FIGURES } from "./citation-figures.js";
import { COST_FIGURES } from "./cost-figures.js";
import { FAITHFULNESS_FIGURES } from "./faithfulness-figures.js";
import { isShown } from "./figure.js";
import {
  figureNamed,
  figuresAmong,
  figureTitle,
  nameInFiles,
  replacedFigures,
  retrieverNames,
} from "./figure-names.js";
import { figuresReference } from "./figures-reference.js";
import { FAITHFULNESS_JUDGE_FIGURES, JUDGE_FIGURES } from "./judge-figures.js";
import { REFUSAL_FIGURES } from "./refusal-figures.js";
import { FIGURE_ROWS, measure } from "./registry.js";
import { RETRIEVAL_FIGURES } from "./retrieval-figures.js";

describe("figures of one question", () => {
  test("of a retriever, at each depth and at the one searched, under the names of files", () => {
    const question = { retrieved: ["x", "a", "y", "b"], gold: ["a", "b"], nearRanks: [1, 2], fragmentRanks: [1, 1] };
    const figures = measure(RETRIEVAL_FIGURES, question, { ks: [1, 2], searched: 4 });
    expect(figures).toEqual({
      "document_recall/recall1": 0,
      "document_recall/recall2": 0,
      "near_recall/recall1": 0,
      "near_recall/recall2": 1,
      "near_fragment_recall/recall1": 1,
      "near_fragment_recall/recall2": 1,
      "fraction_recall/recall1": 0,
      "fraction_recall/recall2": 1 / 2,
      "mrr@4": 1 / 2,
      mrr: 1 / 2,
      "ndcg/ndcg1": 0,
      "ndcg/ndcg2": expect.closeTo(1 / Math.log2(3) / (1 + 1 / Math.log2(3)), 12),
      "map@4": 1 / 2,
      map: 1 / 2,
    });
  });

  test("near recall is left out where near-duplicates are not known, and 0 without a gold passage", () => {
    const depths = { ks: [1], searched: 1 };
    expect(measure(RETRIEVAL_FIGURES, { retrieved: ["a"], gold: ["a"] }, depths)).not.toHaveProperty(
      "near_recall/recall1",
    );
    expect(measure(RETRIEVAL_FIGURES, { retrieved: ["a"], gold: [], nearRanks: [] }, depths)).toMatchObject({
      "near_recall/recall1": 0,
      "document_recall/recall1": 0,
    });
  });

  test("of an answer; those of passages only where the passages are known", () => {
    const known = measure(ANSWER_FIGURES, new AnsweredQuestion("red dogs bark", "red cats bark", ["red cats", "dogs"]));
    expect(known).toMatchObject({ rouge1: expect.closeTo(2 / 3), rouge2: 0, exact_match: 0, answer_length: 3 });
    expect(known).toMatchObject({ f1_passage: expect.closeTo(0.8), rougeL_passage: expect.closeTo(0.8) });
    expect(measure(ANSWER_FIGURES, new AnsweredQuestion("a b", "c", []))).toMatchObject({ f1_passage: 0 });
    expect(Object.keys(measure(ANSWER_FIGURES, new AnsweredQuestion("a", "b"))).join()).not.toContain("_passage");
  });

  test("of an answer in another script: the references' know a to z alone, the same formulas over its words beside them", () => {
    // 猫 が 好き です and 犬 が 好き です: three of four words, in one order; two of three pairs.
    const known = measure(
      ANSWER_FIGURES,
      new AnsweredQuestion("猫が好きです。", "犬が好きです", ["犬が好き"], { unicode: true }),
    );
    expect(known).toMatchObject({ rouge1: 0, rouge2: 0, rougeL: 0, f1: 0, exact_match: 0, rougeL_passage: 0 });
    expect(known).toMatchObject({
      rouge1_unicode: 3 / 4,
      rouge2_unicode: expect.closeTo(2 / 3, 12),
      rougeL_unicode: 3 / 4,
      f1_unicode: 3 / 4,
      precision_unicode: 3 / 4,
      exact_match_unicode: 0,
      // 犬 が 好き of 犬 が 好き です: recall 1, precision 3/4.
      rougeL_passage_unicode: expect.closeTo((2 * 0.75) / 1.75, 12),
      answer_length: 4,
    });
    const of = (gold: string, answer: string): Record<string, number> =>
      measure(ANSWER_FIGURES, new AnsweredQuestion(gold, answer, undefined, { unicode: true }));
    // Case and punctuation do not count, in any script.
    expect(of("Файл удалён.", "файл удалён!")).toMatchObject({ rougeL: 0, rougeL_unicode: 1, exact_match_unicode: 1 });
    // حذف الملف / الملف: precision 1, recall 1/2.
    expect(of("حذف الملف", "الملف")).toMatchObject({
      rougeL_unicode: expect.closeTo(2 / 3),
      f1_unicode: expect.closeTo(2 / 3),
    });
    // फ़ाइल हटाएँ अभी / अभी फ़ाइल हटाएँ: all words, two of three in order.
    expect(of("फ़ाइल हटाएँ अभी", "अभी फ़ाइल हटाएँ")).toMatchObject({
      f1_unicode: 1,
      rougeL_unicode: expect.closeTo(2 / 3),
    });
    expect(of("ลบไฟล์", "ลบไฟล์")).toMatchObject({ rougeL: 0, rougeL_unicode: 1, f1_unicode: 1 });
  });

  test("over words of all scripts only where a test set's gold answers are not Latin", () => {
    expect(wantsUnicodeFigures(["`createApp` を使います。", "No."])).toBe(true);
    expect(wantsUnicodeFigures(["Nutzen Sie die Funktion, die für Übergänge da ist.", "Use 検索."])).toBe(false);
    expect(wantsUnicodeFigures([])).toBe(false);
    const latin = measure(ANSWER_FIGURES, new AnsweredQuestion("Übergang", "Übergang", ["x"]));
    expect(Object.keys(latin).join()).not.toContain("_unicode");
  });

  test("of an answer beside its passages: words of all of them, sentences of one, in any script", () => {
    const of = (answer: string, ...passages: string[]) => measure(FAITHFULNESS_FIGURES, { answer, passages });
    // 6 of 8 words in both together; the first sentence's 4 stand in one passage, of the second's none has more than 2 of 4.
    expect(of("Red cars stop here. Blue boats never sink.", "Here the red cars stop.", "Blue boats float.")).toEqual({
      faithful_words: 6 / 8,
      faithful_sentences: 1 / 2,
    });
    // Each word as often as it comes in the passages.
    expect(of("red red red", "red")).toEqual({ faithful_words: 1 / 3, faithful_sentences: 0 });
    expect(of("猫が好きです。犬が嫌いです。", "猫が好きです。")).toEqual({
      faithful_words: 4 / 8,
      faithful_sentences: 1 / 2,
    });
    expect(of("…", "red")).toEqual({});
    expect(measure(FAITHFULNESS_JUDGE_FIGURES, { verdict: "unfaithful" })).toEqual({ gpt4_faithful: 0 });
    expect(measure(FAITHFULNESS_JUDGE_FIGURES, { verdict: "unparsed" })).toEqual({});
  });

  test("of citations", () => {
    const [right, wrong, invalid] = [
      { valid: true, right: true },
      { valid: true, right: false },
      { valid: false, right: false },
    ] as const;
    expect(measure(CITATION_FIGURES, { citations: [right, wrong, invalid, right] })).toEqual({
      cites: 1,
      citation_precision: 1 / 2,
      invalid_citations: 1 / 4,
    });
    expect(measure(CITATION_FIGURES, { citations: [invalid] })).toMatchObject({ cites: 0, citation_precision: 0 });
    expect(measure(CITATION_FIGURES, { citations: [] })).toEqual({ cites: 0 });
  });

  test("of a question asked with its passages and without: four outcomes that add up to 1, and refusals of each kind", () => {
    const asked = { answerable: true, refused: false, right: true };
    const without = { answerable: false, refused: true };
    expect(measure(REFUSAL_FIGURES, [asked, without])).toEqual({
      answered_rightly: 1 / 2,
      refused_rightly: 1 / 2,
      answered_wrongly: 0,
      refused_wrongly: 0,
      refused_without_gold: 1,
      refused_with_gold: 0,
    });
    // Whatever an answer says, passages without it are no ground for it; a refusal is right there, even where the retriever is to blame.
    expect(
      measure(REFUSAL_FIGURES, [
        { answerable: true, refused: true },
        { answerable: false, refused: false, right: true },
        { ...asked, right: false },
        { answerable: false, refused: true },
      ]),
    ).toEqual({
      answered_rightly: 0,
      refused_rightly: 1 / 4,
      answered_wrongly: 1 / 2,
      refused_wrongly: 1 / 4,
      refused_without_gold: 1 / 2,
      refused_with_gold: 1 / 2,
    });
    // Without a verdict an answer is neither; a question of which nothing is known is in no mean.
    expect(measure(REFUSAL_FIGURES, [{ ...asked, right: undefined }])).toEqual({ refused_with_gold: 0 });
    expect(measure(REFUSAL_FIGURES, [{ ...asked, right: undefined }, without])).toMatchObject({ refused_rightly: 1 });
  });

  test("of a judge and a clock; a question without verdict or time is in no mean", () => {
    expect(measure(JUDGE_FIGURES, { verdict: "unparsed" })).toEqual({ gpt4_acc_low: 0, gpt4_acc_high: 1 });
    expect(measure(JUDGE_FIGURES, { verdict: "correct", verdicts: ["correct", "failed", "incorrect"] })).toEqual({
      gpt4_acc: 1,
      gpt4_acc_low: 1,
      gpt4_acc_high: 1,
      gpt4_flip_rate: 1,
    });
    expect(measure(COST_FIGURES, {})).toEqual({});
    expect(measure(COST_FIGURES, { seconds: 2.5 })).toEqual({ latency_s: 2.5 });
  });
});

describe("names", () => {
  test("a figure is known by the names of all files and by its short one", () => {
    for (const name of ["recall@4", "document_recall/recall4", "eval_retr/document_recall/recall4"]) {
      expect(figureNamed(name)).toMatchObject({ key: "recall@4", title: "recall@4", depth: 4, name, level: "lead" });
    }
    expect(figureNamed("test_retr/near_recall/recall1")).toMatchObject({ title: "near recall@1", heading: "near@1" });
    expect(figureNamed("test_gen/recall")).toMatchObject({ part: "answer", key: "recall" });
    expect(figureNamed("eval_loss")).toMatchObject({ better: "less", title: "loss" });
    expect(figureTitle("eval_retr/mrr")).toBe("MRR");
    expect(figureTitle("eval_retr/mrr@10")).toBe("MRR@10");
    for (const name of ["test_gen/mrr", "test_retr/f1", "recall@0", "recall@", "recall@04", "num_questions", "test_"])
      expect(figureNamed(name), name).toBeUndefined();
  });

  test("settings may use either name", () => {
    expect(nameInFiles("recall@4", "eval_retr/")).toBe("eval_retr/document_recall/recall4");
    expect(nameInFiles("eval_retr/mrr", "eval_retr/")).toBe("eval_retr/mrr");
    expect(nameInFiles("mrr@4", "eval_retr/")).toBe("eval_retr/mrr@4");
    expect(nameInFiles("nonsense", "eval_retr/")).toBe("nonsense");
    const known = retrieverNames({ ks: [1, 4], searched: 4 }, "eval_retr/");
    expect(known).toEqual(expect.arrayContaining(["eval_retr/document_recall/recall1", "eval_retr/mrr"]));
    expect(known.map((name) => nameInFiles(name, "eval_retr/"))).toEqual(known);
  });

  test("among a file's names: in the registry's order, by depth, nDCG's deepest for tables", () => {
    const names = [
      "test_gen/f1",
      "num_questions",
      ...[10, 1, 4].map((k) => `test_retr/ndcg/ndcg${k}`),
      "test_retr/mrr",
    ];
    const found = figuresAmong(names);
    expect(found.map(({ key }) => key)).toEqual(["mrr", "ndcg@1", "ndcg@4", "ndcg@10", "f1"]);
    expect(found.filter((figure) => isShown(figure, "own")).map(({ key }) => key)).toEqual(["mrr", "ndcg@10", "f1"]);
    expect(figuresAmong([...names, "test_retr/mrr@100"]).map(({ key }) => key)).not.toContain("mrr");
  });

  test("what another figure is shown in the place of is in files alone", () => {
    const names = ["test_gen/rougeL", "test_gen/f1", "test_gen/f1_unicode", "test_gen/exact_match"];
    const shown = (all: readonly string[]): string[] =>
      figuresAmong(all.values())
        .filter((figure) => isShown(figure, "narrow"))
        .map(({ heading }) => heading);
    expect(shown(names)).toEqual(["ROUGE-L", "F1 (Unicode)"]);
    expect(shown(names.slice(0, 2))).toEqual(["ROUGE-L", "F1"]);
    expect(figuresAmong(names).map(({ key }) => key)).toEqual(["rougeL", "f1", "exact_match", "f1_unicode"]);
    expect([...replacedFigures(names)]).toEqual(["test_gen/f1"]);
    expect([...replacedFigures(["f1_unicode", "rougeL_passage_unicode"])]).toEqual(["f1", "rougeL_passage"]);
  });

  test("no two rows share a name", () => {
    const names = FIGURE_ROWS.flatMap(({ key, file = key, bare, part }) =>
      [...new Set([key, file, ...(bare === undefined ? [] : [bare])])].map((name) => `${part === "retriever"} ${name}`),
    );
    expect(new Set(names).size).toBe(names.length);
  });
});

test("docs/figures.md has every row (npx vitest run packages/metrics -u writes it)", async () => {
  await expect(figuresReference()).toMatchFileSnapshot(
    fileURLToPath(new URL("../../../../docs/figures.md", import.meta.url)),
  );
});
