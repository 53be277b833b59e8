import { CancelledError, createDocument, createRandom } from "@rag-ft/core";
import { describe, expect, test } from "vitest";
import { Bm25Index } from "./bm25-index.js";
import { bm25Retriever } from "./bm25-retriever.js";
import { hybridRetriever } from "./hybrid-retriever.js";
import { lexicalTokens } from "./lexical-tokens.js";
import type { PassageEncoder } from "./passage-encoder.js";
import type { Retrieved } from "./retriever.js";
import { MemoryStore } from "./stores/memory/memory-store.js";

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

/** Of each language, passages with the question that each answers, in other forms of its words where the language has them. */
const ANSWERED: Record<string, readonly (readonly [passage: string, question: string])[]> = {
  Russian: [
    ["Тайм-аут соединения задаётся параметром connectTimeout в секундах.", "Где задать тайм-аут соединения?"],
    ["Кэш удаляется командой clear.", "Как удалить кэш?"],
    ["Счёт хранится в зашифрованном виде.", "Как хранится счет?"],
  ],
  Japanese: [
    ["接続のタイムアウトは connectTimeout で秒単位で指定します。", "接続のタイムアウトはどこで指定できますか？"],
    ["キャッシュは clear コマンドで削除されます。", "キャッシュを削除する方法は？"],
    ["パスワードは暗号化して保存されます。", "パスワードはどのように保存されますか？"],
  ],
  Chinese: [
    ["连接超时由 connectTimeout 参数以秒为单位设置。", "在哪里设置连接超时？"],
    ["缓存可以用 clear 命令删除。", "如何删除缓存？"],
    ["密码以加密形式保存。", "密码是如何保存的？"],
  ],
  Korean: [
    ["연결 시간 초과는 connectTimeout 매개변수로 초 단위로 설정합니다.", "연결의 시간 초과를 어디에서 설정하나요?"],
    ["캐시는 clear 명령으로 삭제됩니다.", "캐시를 삭제하려면?"],
    ["비밀번호는 암호화되어 저장됩니다.", "비밀번호가 어떻게 저장되나요?"],
  ],
  Thai: [
    ["เวลาหมดเขตของการเชื่อมต่อกำหนดด้วยพารามิเตอร์ connectTimeout เป็นวินาที", "กำหนดเวลาหมดเขตของการเชื่อมต่อได้ที่ไหน"],
    ["แคชถูกลบด้วยคำสั่ง clear", "จะลบแคชได้อย่างไร"],
    ["รหัสผ่านถูกเก็บแบบเข้ารหัส", "รหัสผ่านถูกเก็บอย่างไร"],
  ],
  Arabic: [
    ["يتم ضبط مهلة الاتصال بالمعامل connectTimeout بالثواني.", "أين يتم ضبط مهلة الاتصال؟"],
    ["تُحذف ذاكرة التخزين المؤقت بالأمر clear.", "كيف تحذف ذاكرة التخزين المؤقت؟"],
    ["تُحفظ كلمة المرور مشفرة.", "كيف تحفظ كلمة المرور؟"],
  ],
  Hindi: [
    ["कनेक्शन का टाइमआउट connectTimeout से सेकंड में तय होता है।", "कनेक्शन का टाइमआउट कहाँ तय होता है?"],
    ["कैश clear आदेश से मिटाया जाता है।", "कैश कैसे मिटाया जाता है?"],
    ["पासवर्ड एन्क्रिप्ट करके रखा जाता है।", "पासवर्ड कैसे रखा जाता है?"],
  ],
};

test.each(Object.entries(ANSWERED))(
  "finds the passage that answers each question first, alone and beside vectors that say nothing: %s",
  async (_, answered) => {
    const documents = answered.map(([text], i) => createDocument(text, { source: `page-${i}` }));
    const questions = answered.map(([, question]) => question);
    const own = documents.map((_, i) => i);
    const best = (found: readonly Retrieved[]): unknown => found.map(({ ids }) => ids[0]);
    expect(best(await bm25Retriever(documents).retrieve(questions, 3))).toEqual(own);
    const store = new MemoryStore(1);
    await store.add(
      documents,
      Float32Array.from(documents, () => 1),
    );
    const encoder: PassageEncoder = {
      dimensions: 1,
      settings: { pooling: "mean", similarity: "dot", query_prefix: "", passage_prefix: "", max_length: 8 },
      fingerprint: "one",
      embed: async (texts) => new Float32Array(texts.length).fill(1),
      close: async () => {},
    };
    expect(best(await hybridRetriever({ documents, store }, encoder, 1).retrieve(questions, 3))).toEqual(own);
  },
);

test("one spelling of what is written in two, and pairs of syllables of Korean words", () => {
  expect(lexicalTokens("تُحذف الـملف")).toEqual(lexicalTokens("تحذف الملف"));
  expect(lexicalTokens("Счёт")).toEqual(["счет"]);
  expect(lexicalTokens("비밀번호가 캐시 API를")).toEqual(["비밀", "밀번", "번호", "호가", "캐시", "api", "를"]);
  expect(lexicalTokens("max_length は")).toEqual(["max_length", "は"]);
});

test("built bit by bit it is the same index, and it can be stopped in between", async () => {
  const texts = Array.from({ length: 2500 }, (_, i) => `word${i % 7} word${i % 11} word${i % 13}`);
  const built = await Bm25Index.build(texts, { pairs: 0.3 });
  const whole = new Bm25Index(texts, { pairs: 0.3 });
  for (const question of ["word3 word4", "word12"]) expect(built.scores(question)).toEqual(whole.scores(question));
  const stop = new AbortController();
  const stopped = Bm25Index.build(texts, {}, stop.signal);
  stop.abort();
  await expect(stopped).rejects.toThrow(CancelledError);
});
