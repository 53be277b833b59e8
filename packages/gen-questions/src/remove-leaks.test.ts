import { expect, it } from "vitest";
import { withoutLeaks } from "./remove-leaks.js";

it.each([
  [
    "Russian",
    "Как отменить заказ после отправки?",
    "Как отменить «заказ» до отправки?",
    "Где найти счёт за прошлый месяц?",
  ],
  [
    "Japanese",
    "注文をキャンセルするにはどうすればいいですか。",
    "注文をキャンセルするにはどうしますか。",
    "送料はいくらですか。",
  ],
  ["Thai", "ฉันจะยกเลิกคำสั่งซื้อได้อย่างไร", "จะยกเลิกคำสั่งซื้อได้อย่างไร", "ค่าจัดส่งเท่าไหร่"],
  ["Arabic", "كيف يمكنني إلغاء الطلب؟", "كيف يمكنني إلغاء الطلب بعد الشحن؟", "ما هي رسوم التوصيل؟"],
])("finds a leak in %s, and keeps what asks for something else", (_, heldOut, leak, other) => {
  expect(withoutLeaks([leak, other], [heldOut])).toEqual([other]);
});
