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
