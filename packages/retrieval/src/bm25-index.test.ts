import { createDocument, createRandom } from "@rag-ft/core";
import { describe, expect, test } from "vitest";
import { Bm25Index } from "./bm25-index.js";
import { bm25Retriever } from "./bm25-retriever.js";
import { lexicalTokens } from "./lexical-tokens.js";

/** The definition, word by word and passage by passage. */
function plainScore(texts: readonly string[], passage: number, question: string, k1: number, b: number): number {
  const passages = texts.map((text) => text.split(" "));
  const own = passages[passage] ?? [];
  const meanLength = passages.reduce((sum, words) => sum + words.length, 0) / passages.length;
  return question.split(" ").reduce((sum, word) => {
    const count = own.filter((other) => other === word).length;
    const holding = passages.filter((words) => words.includes(word)).length;
    const rarity = Math.log(1 + (passages.length - holding + 0.5) / (holding + 0.5));
    return sum + (rarity * count * (k1 + 1)) / (count + k1 * (1 - b + (b * own.length) / meanLength));
  }, 0);
}

describe("BM25", () => {
  const random = createRandom(4);
  const words = ["red", "green", "blue", "grey", "pink", "teal"];
  const texts = Array.from({ length: 120 }, () =>
    Array.from({ length: 1 + random.integer(12) }, () => words[random.integer(words.length)]).join(" "),
  );
  const questions = ["red", "red red blue", "grey pink green teal", "unknown red", "unknown"];

  test.each([{}, { k1: 0.9, b: 0.4 }, { k1: 2, b: 0 }, { k1: 1, b: 1 }])("equals its definition: %o", (options) => {
    const index = new Bm25Index(texts, options);
    const { k1, b } = { k1: 1.2, b: 0.75, ...options };
    for (const question of questions) {
      const expected = texts.map((_, i) => plainScore(texts, i, question, k1, b));
      const scores = index.scores(question);
      scores.forEach((score, i) => {
        expect(score).toBeCloseTo(expected[i] as number, 10);
      });
      const order = expected.map((_, i) => i).sort((x, y) => (scores[y] as number) - (scores[x] as number) || x - y);
      const [found] = index.search([question], 25);
      expect([...(found?.ids ?? [])]).toEqual(order.slice(0, 25));
    }
  });

  test("pairs of neighbouring words count as words of a text of pairs", () => {
    const paired = (text: string): string => {
      const words = text.split(" ");
      return words
        .slice(1)
        .map((word, i) => `${words[i]}_${word}`)
        .join(" ");
    };
    const index = new Bm25Index(texts, { pairs: 0.3 });
    const words = new Bm25Index(texts);
    const pairs = new Bm25Index(texts.map(paired));
    // Unknown words part their neighbours.
    for (const question of [...questions, "red unknown blue green"]) {
      const expected = pairs.scores(paired(question));
      const ofWords = words.scores(question);
      index.scores(question).forEach((score, i) => {
        expect(score).toBeCloseTo((ofWords[i] as number) + 0.3 * (expected[i] as number), 10);
      });
    }
    expect(index.scores("green teal")).not.toEqual(index.scores("teal green"));
  });

  test("a batch of questions is answered as each is alone", () => {
    const index = new Bm25Index(texts);
    const together = index.search(questions, 4);
    const apart = questions.flatMap((question) => index.search([question], 4));
    expect(together.every(({ ids }) => ids.length === 4)).toBe(true);
    expect(together).toEqual(apart);
  });

  test("no passage, empty passages and fewer passages than asked for", () => {
    expect(new Bm25Index([]).search(["red"], 4)[0]?.ids).toHaveLength(0);
    const index = new Bm25Index(["", "red", ""]);
    const [found] = index.search(["red"], 10);
    expect([...(found?.ids ?? [])]).toEqual([1, 0, 2]);
    expect([...(new Bm25Index(["", ""]).search(["red"], 1)[0]?.scores ?? [])]).toEqual([0]);
  });
});

test("the retriever leaves out what shares no word with the question", async () => {
  const documents = ["red", "Green tea", "blue"].map((text) => createDocument(text, { source: "s" }));
  const [found, none] = await bm25Retriever(documents).retrieve(["green?", "pink"], 3);
  expect(found?.ids).toEqual([1]);
  expect(found?.documents[0]?.page_content).toBe("Green tea");
  expect(found?.scores[0]).toBeGreaterThan(0);
  expect(none).toEqual({ ids: [], scores: [], documents: [] });
});

test("words of many scripts", () => {
  expect(lexicalTokens("Set `max_retries`: 3, don't café. CAFÉ")).toEqual([
    "set",
    "max_retries",
    "3",
    "don",
    "t",
    "café",
    "café",
  ]);
  // Composed and decomposed letters are one.
  expect(lexicalTokens("cafe\u0301")).toEqual(lexicalTokens("café"));
  expect(lexicalTokens("हिन्दी में")).toEqual(["हिन्दी", "में"]);
  // Without spaces between words a run is not one word.
  expect(lexicalTokens("数据库集群").length).toBeGreaterThan(1);
  expect(lexicalTokens("…!?")).toEqual([]);
});

test.each([
  ["Russian", ["Заказ можно отменить.", "Доставка длится три дня."], "Как отменить «заказ»?", 0],
  ["Japanese", ["送料は無料です。", "検索エンジンを使います。"], "検索エンジンを使う?", 1],
  ["Thai", ["ค่าจัดส่งสินค้า", "น้ำดื่มสะอาด"], "น้ำ", 1],
  ["Arabic", ["إلغاء الطلب، ثم الشحن", "رسوم التوصيل"], "الطلب؟", 0],
  ["Hindi", ["ऑर्डर रद्द करें।", "भेजने का खर्च"], "खर्च?", 1],
])("finds the passage with the words of a question in %s", (_, texts, question, best) => {
  const scores = new Bm25Index(texts).scores(question);
  expect(scores[best]).toBeGreaterThan(0);
  expect(scores[1 - best]).toBe(0);
});
