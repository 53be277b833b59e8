import { createDocument, createRandom, documentId } from "@rag-ft/core";
import { overlap } from "@rag-ft/text";
import { describe, expect, it } from "vitest";
import { choosePassages, passesFilter, uniqueBySource } from "./choose-passages.js";

const filter = { min_words: 0, url_weights: [] };
const page = (text: string, source = "a") => createDocument(text, { source });

describe("choosePassages", () => {
  it("drops empty passages and those that repeat one of the last three kept of the source", () => {
    const documents = [
      page("one two three four"),
      page(" "),
      page("one two three five"),
      page("six"),
      page("seven"),
      page("eight"),
      page("one two three four"),
    ];
    expect(
      uniqueBySource(documents)
        .get("a")
        ?.map((document) => document.page_content),
    ).toEqual([
      "one two three four",
      "six",
      "seven",
      "eight",
      // Four kept since: not compared with the first any more.
      "one two three four",
    ]);
    // Exactly half is not more than half.
    expect(uniqueBySource([page("one two x y"), page("one two v w")]).get("a")).toHaveLength(2);
  });

  it("tells passages in Japanese apart that share their particles, and knows a repeated one", () => {
    const texts = [
      "このオプションを使うと、コンポーネントの状態がブラウザーに保存されますので、再読み込みの後でも値が失われることはありません。",
      "このコマンドを使うと、プロジェクトの依存関係がサーバーに配置されますので、初回の起動の際でも時間が失われることはありません。",
      "なお、このオプションを使うと、コンポーネントの状態がブラウザーに保存されますので、再読み込みの後でも値が失われることはありません。",
    ];
    expect(overlap(texts[0] ?? "", texts[1] ?? "")).toBeGreaterThan(0.5);
    expect(uniqueBySource(texts.map((text) => page(text))).get("a")).toHaveLength(2);
  });

  it("skips a source with too few passages and draws negatives of the same source, never the gold one", () => {
    const documents = [
      page("alpha", "a"),
      page("beta", "a"),
      page("gamma", "b"),
      page("delta", "b"),
      page("omega", "b"),
    ];
    const rows = choosePassages(documents, filter, 2, createRandom(0));
    expect(rows.map((row) => row.gold_docs[0]?.page_content)).toEqual(["gamma", "delta", "omega"]);
    for (const row of rows) {
      expect(row.hard_neg_docs).toHaveLength(2);
      expect(row.hard_neg_docs.map(documentId)).not.toContain(row.gold_docs.map(documentId)[0]);
      expect(new Set(row.hard_neg_docs.map((document) => document.metadata.source))).toEqual(new Set(["b"]));
    }
  });

  it("a source with too few passages draws the others from elsewhere; the reasons of all that are left out are counted", () => {
    const documents = [
      page("alpha", "a"),
      page("beta", "a"),
      page("gamma delta", "b"),
      page("gamma delta", "b"),
      page(" ", "b"),
      page("omega", "c"),
    ];
    const reasons: string[] = [];
    const onLeftOut = (reason: string): unknown => reasons.push(reason);
    const rows = choosePassages(documents, filter, 2, createRandom(0), { elsewhere: createRandom(1), onLeftOut });
    expect(rows.map((row) => row.gold_docs[0]?.page_content)).toEqual(["alpha", "beta", "gamma delta", "omega"]);
    for (const { gold_docs, hard_neg_docs } of rows) {
      expect(new Set(hard_neg_docs.map(documentId)).size).toBe(2);
      expect(hard_neg_docs.map(documentId)).not.toContain(gold_docs.map(documentId)[0]);
    }
    // The other passage of the source comes first.
    expect(rows[0]?.hard_neg_docs[0]?.page_content).toBe("beta");
    expect(reasons).toEqual(["repeats a passage of its source", "empty"]);
    reasons.length = 0;
    expect(choosePassages(documents, { ...filter, min_words: 2 }, 1, createRandom(0), { onLeftOut })).toEqual([]);
    expect(reasons.slice(2)).toEqual(["too short", "too short", "too few in its source", "too few in its source"]);
  });

  it("pages of one template are hard negatives of each other, copies are not", () => {
    const about = ([a, b, c, d, e]: readonly string[]) =>
      `The ${a} of a ${b} is a ${c} that keeps every ${d} in its ${e}.`;
    const pages = ["parser grammar tree token list", "loader module cache path map", "linter style rule fault log"];
    const documents = pages.flatMap((names) => {
      const text = about(names.split(" "));
      return [page(text, names), page(text, `copy of ${names}`)];
    });
    const rows = choosePassages(documents, filter, 3, createRandom(0), { elsewhere: createRandom(1) });
    for (const { gold_docs, hard_neg_docs } of rows) {
      expect(hard_neg_docs).toHaveLength(3);
      expect(hard_neg_docs.map(({ page_content }) => page_content)).not.toContain(gold_docs[0]?.page_content);
    }
  });

  it("keeps passages by length and by the weight of their URL", () => {
    const databricks = { min_words: 51, url_weights: [{ contains: "sql/language-manual", weight: 0.3 }] };
    const words = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`).join(" ");
    expect(passesFilter(page(words(50)), databricks, createRandom(0))).toBe(false);
    expect(passesFilter(page(words(51)), databricks, createRandom(0))).toBe(true);
    // Japanese has no spaces; these are 52 words.
    const japanese = page("検索エンジンを使う。".repeat(13));
    expect(passesFilter(japanese, databricks, createRandom(0))).toBe(true);
    expect(passesFilter(japanese, { ...databricks, min_words: 53 }, createRandom(0))).toBe(false);
    const random = createRandom(3);
    const manual = page(words(60), "https://example.com/sql/language-manual/x");
    const kept = Array.from({ length: 2000 }, () => passesFilter(manual, databricks, random)).filter(Boolean).length;
    // 0.3 ± 4 standard deviations of a binomial with n = 2000.
    expect(Math.abs(kept / 2000 - 0.3)).toBeLessThan(0.041);
  });
});
