import { describe, expect, it } from "vitest";
import { words } from "./words.js";

describe("words", () => {
  it.each([
    ["English", "It's the Wi-Fi, isn't it?", ["it", "s", "the", "wi", "fi", "isn", "t", "it"]],
    ["German and French", "Größe 10 – déjà vu", ["größe", "10", "déjà", "vu"]],
    ["Vietnamese", "Tiếng Việt", ["tiếng", "việt"]],
    ["Turkish", "Işık", ["işık"]],
    ["Russian", "Ёлка — это «дерево».", ["ёлка", "это", "дерево"]],
    ["Greek", "Ο ΣΚΎΛΟΣ;", ["ο", "σκύλος"]],
    ["Arabic", "كيف أعيد المنتج؟ ١٢ يومًا، شكرًا", ["كيف", "أعيد", "المنتج", "١٢", "يومًا", "شكرًا"]],
    ["Hebrew", "מהי השיטה?", ["מהי", "השיטה"]],
    ["Hindi, marks inside of words", "मैं हिन्दी पढ़ता हूँ।", ["मैं", "हिन्दी", "पढ़ता", "हूँ"]],
    ["Tamil", "தமிழ் மொழி", ["தமிழ்", "மொழி"]],
    ["Korean", "문서를 검색합니다.", ["문서를", "검색합니다"]],
    ["Japanese", "検索エンジンを使う。", ["検索", "エンジン", "を", "使う"]],
    ["Chinese", "我们回答问题,对吗?", ["我们", "回答", "问题", "对", "吗"]],
    ["Thai", "น้ำดื่มทำงาน", ["น้ำ", "ดื่ม", "ทำงาน"]],
    ["Lao", "ສະບາຍດີຊາວໂລກ", ["ສະບາຍດີ", "ຊາວໂລກ"]],
    ["Khmer", "ខ្ញុំចង់រៀន", ["ខ្ញុំ", "ចង់", "រៀន"]],
    ["Burmese", "မြန်မာနိုင်ငံသည်", ["မြန်မာနိုင်ငံ", "သည်"]],
    ["several in one run", "ABCを使う2024年", ["abc", "を", "使う", "2024", "年"]],
    ["letters beyond 16 bits", "𠮷野家へ", ["𠮷", "野家", "へ"]],
    ["nothing", "… 👩‍💻 —", []],
  ])("of %s", (_, text, expected) => {
    expect(words(text)).toEqual(expected.map((word) => word.normalize("NFKC").replace("\u0e4d\u0e32", "\u0e33")));
  });

  it("are the same however a character was typed", () => {
    expect(words("cafe\u0301 ﬁle ＡＢＣ ｶﾞｲﾄﾞ")).toEqual(words("café file ABC ガイド"));
    expect(words("می\u200cخواهم क्\u200dष")).toEqual(words("میخواهم क्ष"));
  });

  it("hold their underscores when asked to, in any script", () => {
    expect(words("max_length größe_2 размер_файла")).toEqual(["max", "length", "größe", "2", "размер", "файла"]);
    expect(words("max_length größe_2", { underscores: true })).toEqual(["max_length", "größe_2"]);
    expect(words("max_length размер_файла", { underscores: true })).toEqual(["max_length", "размер_файла"]);
  });

  it("part at the same characters on the fast way and on the other", () => {
    // Every character between Latin letters, with a Cyrillic word after it and without; those from U+2500 on are all on the other way.
    const differing: string[] = [];
    for (let code = 1; code < 0x2500; code++) {
      // The two joiners, which only other scripts have.
      if (code === 0x200c || code === 0x200d) continue;
      const text = `xa${String.fromCharCode(code)}b`;
      const other = words(`${text} ж`);
      if (words(text).join(" ") !== other.slice(0, -1).join(" ")) differing.push(code.toString(16));
    }
    expect(differing).toEqual([]);
  });
});
