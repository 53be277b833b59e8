import { describe, expect, it } from "vitest";
import { contentWords, QuestionSet } from "./question-set.js";

describe("contentWords", () => {
  it("leaves out how a question is put, and stems", () => {
    expect(contentWords("How can I cancel my orders?")).toEqual(
      contentWords("Is there a way for cancelling an order?").slice(1),
    );
    expect(contentWords("What is it?")).toEqual(["what", "is", "it"]);
  });
});

describe("QuestionSet", () => {
  const set = new QuestionSet();
  for (const question of [
    "How do I cancel an order on the marketplace after it has shipped?",
    "Which fees apply to a brand?",
    "Which fees apply to a retailer?",
    "WHICH FEES apply, to a brand",
  ])
    set.add(question);

  it("knows the same question by other case, punctuation and spacing", () => {
    expect(set.same("which  fees apply to a brand ?")).toEqual([
      { id: 1, kind: "duplicate" },
      { id: 3, kind: "duplicate" },
    ]);
  });

  it("knows the same content words in another order, and not a question about something else", () => {
    expect(set.same("After an order has shipped, can I cancel it on the marketplace?")).toEqual([
      { id: 0, kind: "paraphrase" },
    ]);
    // Fees, apply, supplier: two of four content words.
    expect(set.same("Which fees apply to a supplier?")).toEqual([]);
    expect(new QuestionSet({ overlapAbove: 0.49 }).same("Which fees apply to a supplier?")).toEqual([]);
    const loose = new QuestionSet({ overlapAbove: 0.49 });
    loose.add("Which fees apply to a brand?");
    expect(loose.same("Which fees apply to a supplier?")).toEqual([{ id: 0, kind: "paraphrase" }]);
  });

  it("compares vectors when there are any, whatever their length", () => {
    const withVectors = new QuestionSet({ overlapAbove: 1, cosineAbove: 0.9 });
    withVectors.add("one", Float32Array.of(2, 0));
    withVectors.add("two", Float32Array.of(1, 1));
    expect(withVectors.same("three", Float32Array.of(10, 1))).toEqual([{ id: 0, kind: "paraphrase" }]);
    expect(withVectors.same("three")).toEqual([]);
  });

  it.each([
    ["Russian", "Как отменить заказ в магазине?", "как отменить «заказ» в магазине", "Где найти счёт?"],
    ["Chinese", "如何取消订单?", "如何取消订单?", "如何更改地址?"],
    ["Thai", "ยกเลิกคำสั่งซื้ออย่างไร?", "ยกเลิกคำสั่งซื้ออย่างไร", "ค่าจัดส่งเท่าไหร่"],
  ])("knows the same question in %s", (_, question, same, other) => {
    const questions = new QuestionSet();
    questions.add(question);
    expect(questions.same(same)).toEqual([{ id: 0, kind: "duplicate" }]);
    expect(questions.same(other)).toEqual([]);
  });
});

/** Of one language: a question, the same in another order, one about something else in the same frame, one in other words. */
const ASKED: Record<string, readonly [string, string, string, string]> = {
  Russian: [
    "Как изменить тайм-аут соединения с базой данных?",
    "Тайм-аут соединения с базой данных: как изменить?",
    "Как изменить пароль соединения с базой данных?",
    "Где настраивается время ожидания ответа сервера?",
  ],
  Japanese: [
    "データベース接続のタイムアウトを変更するにはどうすればよいですか？",
    "タイムアウトをデータベース接続で変更するには、どうすればよいですか",
    "データベース接続のパスワードを変更するにはどうすればよいですか？",
    "応答を待つ時間はどこで設定しますか？",
  ],
  Chinese: [
    "如何更改数据库连接的超时时间？",
    "数据库连接的超时时间如何更改？",
    "如何更改数据库连接的密码？",
    "在哪里可以设置等待响应的时长？",
  ],
  Korean: [
    "데이터베이스 연결의 시간 초과를 어떻게 변경합니까?",
    "어떻게 데이터베이스 연결의 시간 초과를 변경합니까?",
    "데이터베이스 연결의 비밀번호를 어떻게 변경합니까?",
    "응답을 기다리는 시간은 어디에서 설정하나요?",
  ],
  Thai: [
    "ฉันจะเปลี่ยนเวลาหมดเขตของการเชื่อมต่อฐานข้อมูลได้อย่างไร",
    "การเชื่อมต่อฐานข้อมูล: เปลี่ยนเวลาหมดเขตได้อย่างไร",
    "ฉันจะเปลี่ยนรหัสผ่านของการเชื่อมต่อฐานข้อมูลได้อย่างไร",
    "ตั้งค่าการรอคำตอบของเซิร์ฟเวอร์ได้ที่ไหน",
  ],
  Arabic: [
    "كيف أغير مهلة الاتصال بقاعدة البيانات؟",
    "مهلة الاتصال بقاعدة البيانات: كيف أغير؟",
    "كيف أغير كلمة مرور الاتصال بقاعدة البيانات؟",
    "أين أضبط وقت انتظار الخادم؟",
  ],
  Hindi: [
    "डेटाबेस कनेक्शन का टाइमआउट कैसे बदलें?",
    "कैसे बदलें डेटाबेस कनेक्शन का टाइमआउट?",
    "डेटाबेस कनेक्शन का पासवर्ड कैसे बदलें?",
    "सर्वर के उत्तर की प्रतीक्षा का समय कहाँ तय होता है?",
  ],
};

it.each(Object.entries(ASKED))("knows the same question in %s, and not another one of the same frame", (_, asked) => {
  const [question, reordered, another, inOtherWords] = asked;
  const set = new QuestionSet();
  set.add(question);
  // Other punctuation and spacing.
  const kinds = (text: string): string[] => set.same(text).map(({ kind }) => kind);
  expect(kinds(`${question.replace(/[?？؟]/u, "")} !`)).toEqual(["duplicate"]);
  expect(kinds(reordered)).toEqual(["paraphrase"]);
  expect(kinds(another)).toEqual([]);
  expect(kinds(inOtherWords)).toEqual([]);
});

it("keeps the words of other scripts that carry meaning", () => {
  expect(contentWords("データベース接続のタイムアウトを変更するにはどうすればよいですか？")).toEqual([
    "データベース",
    "接続",
    "タイム",
    "アウト",
    "変更",
  ]);
  expect(contentWords("Как изменить пароль?")).toEqual(["изменить", "пароль"]);
  // All its words when it has no others.
  expect(contentWords("それは何ですか").length).toBeGreaterThan(0);
});
