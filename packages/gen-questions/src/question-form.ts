/** Question marks of all scripts but the Greek, which is also a semicolon: Latin, full width, Arabic, Armenian, Ethiopic, Vai, Coptic, doubled, reversed, emoji. */
const MARKS = "?？؟\u037E՞፧⸮꘏⳺⁇⁈⁉︖﹖❓❔";
const CLOSING = String.raw`["”'’»」』)）*_${"`"}\s]*$`;
const MARK = new RegExp(`[${MARKS}]${CLOSING}`, "u");
/** The Greek question mark is typed as a semicolon, and Unicode's normal form makes it one. */
const GREEK_MARK = new RegExp(String.raw`\p{Script=Greek}.*;${CLOSING}`, "su");
/** The Armenian mark stands over a vowel of the word that asks, the sentence ends as any other. */
const ARMENIAN = /\p{Script=Armenian}՞/u;

/** Scripts that end a question without a mark: Thai, Lao, Khmer, Burmese, Tibetan; a Japanese question may end in か. */
const WITHOUT_MARK =
  /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}][.)။៕។༎།]?$|か。?$/u;
/** Words that ask, of scripts without a mark: those that stand in no other sentence, or at its end. */
const ASKING =
  /(?:ไหม|มั้ย|หรือไม่|หรือเปล่า|อะไร|อย่างไร|ยังไง|เมื่อไร|เมื่อใด|เมื่อไหร่|ทำไม|ที่ไหน|เท่าไร|เท่าไหร่|ຫຍັງ|ແນວໃດ|ເມື່ອໃດ|ຈັກ)|(?:လား|လဲ|နည်း|ບໍ່?)။?$|^តើ|か。?$/u;

/** What assistants add behind the mark: a number of a source, a kind, an answer in brackets, an emoji, a full stop. */
const ADDED = new RegExp(
  String.raw`(?<=[${MARKS}]["”'’»」』*_${"`"}]*)\s*(?:[\[(（][^\])）]*[\])）]|\p{So}\uFE0F?|[.;,]|\s)+$`,
  "u",
);

/** Behind the end of a question, before the next in the same line. Full-width marks need no space. */
const BETWEEN =
  /(?<=(?:[?؟\u037E፧]|\p{Script=Greek};)["”»]?)\s+(?:[|/]\s+)?(?=["“«¿]?[\p{Lu}\p{Lo}\p{Script=Georgian}])|(?<=[？။]|か。|\p{Script=Armenian}[^?]*։)\s*(?=\p{L})/u;

/** A question without what stands behind its mark. */
export const withoutAdded = (text: string): string => text.replace(ADDED, "");

/** Two questions that stand side by side in one line without labels. */
export const sideBySide = (text: string): string[] => text.split(BETWEEN);

/** Whether a text has the form of a question in its script; where a script has no mark, a label or a word that asks decides. */
export function isQuestion(text: string, labelled: boolean): boolean {
  if (text.length < 4 || !/[\p{L}\p{N}]/u.test(text)) return false;
  if (MARK.test(text) || GREEK_MARK.test(text) || ARMENIAN.test(text)) return true;
  return WITHOUT_MARK.test(text) && (labelled || ASKING.test(text));
}
