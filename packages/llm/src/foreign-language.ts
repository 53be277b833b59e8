import { openLanguageDetector } from "@rag-ft/text";
import type { DomainConfig } from "./domain-config.js";

/**
 * What a prompt calls the language of a passage that is not in English: its name, where the domain config gives one; undefined for English and
 * where it cannot be told, so that prompts of English documents stay what they were, and so do replies that were paid for.
 */
export type ForeignLanguage = (text: string) => string | undefined;

const names = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });

/** `Japanese` for `ja`; what is no code is taken for a name. */
function nameOf(language: string): string {
  try {
    return names.of(language) ?? language;
  } catch {
    return language;
  }
}

/** Tells by the domain's `language` if it has one, else from each passage. */
export async function openForeignLanguage({ language }: Pick<DomainConfig, "language">): Promise<ForeignLanguage> {
  if (language !== undefined) {
    const name = nameOf(language.trim());
    const foreign = /\benglish$/i.test(name) ? undefined : name;
    return () => foreign;
  }
  const languageOf = await openLanguageDetector();
  // Not by name: close languages are taken for each other, and the model sees which it is.
  return (text) => ((languageOf(text) ?? "en") === "en" ? undefined : "the language of the passage");
}
