import { beyondLatin } from "./scripts.js";

/** Code, addresses and tags: English words in a text of any language. */
const NOT_PROSE = /^(```+|~~~+)[\s\S]*?^\1|`[^`\n]*`|https?:\S+|<[^>\n]*>|\{#[^}\n]*\}/gm;
const LATIN_LETTERS = /\p{Script=Latin}+/gu;

/** Fewer words of prose in Latin script say too little. */
const LEAST_WORDS = 8;

/**
 * Tells a text's language: its code in ISO 639-1, such as `de`; `und` where the script is not Latin and no language of it fits; undefined
 * where a text in Latin script is too short, or not clear.
 */
export type DetectLanguage = (text: string) => string | undefined;

/** Opens the detector: its n-grams of 60 languages (1 MB) are loaded only by those who ask. */
export async function openLanguageDetector(): Promise<DetectLanguage> {
  const { eld } = await import("eld/extrasmall");
  return (text) => {
    const prose = text.replace(NOT_PROSE, " ");
    if (beyondLatin(prose)) return eld.detect(prose.replace(LATIN_LETTERS, " ")).language || "und";
    if ((prose.match(/\p{L}{2,}/gu)?.length ?? 0) < LEAST_WORDS) return undefined;
    const found = eld.detect(prose);
    return found.isReliable() ? found.language : undefined;
  };
}
