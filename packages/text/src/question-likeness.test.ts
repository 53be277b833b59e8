import { expect, it } from "vitest";
import { questionLikeness } from "./question-likeness.js";

it("is ROUGE-L's F-measure of the words, in any script", () => {
  // Four of five words of each, in order.
  expect(questionLikeness("How do I cancel orders?", "how DO I cancel it")).toBeCloseTo(0.8, 12);
  // Words in another order: one is left.
  expect(questionLikeness("red green", "green red")).toBeCloseTo(0.5, 12);
  expect(questionLikeness("как отменить заказ?", "Как вернуть заказ")).toBeCloseTo(2 / 3, 12);
  expect(questionLikeness("検索エンジンを使う", "検索エンジンを見る?")).toBeCloseTo(3 / 4, 12);
  expect(questionLikeness("هل يمكن الإلغاء؟", "هل يمكن الإلغاء")).toBe(1);
  expect(questionLikeness("?", "?")).toBe(0);
});
