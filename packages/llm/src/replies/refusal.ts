import { words } from "@rag-ft/text";

/** Courtesies before a refusal, and what it bases itself on. */
const OPENING =
  "(?:(?:i'm |i am )?(?:sorry|unfortunately|apologies)[,.]?\\s*(?:but )?)?(?:(?:based on|according to) the (?:provided |given )?(?:passages?|text|context|documentation|documents)[^,]{0,40}, )?";

/** `the provided passages do not mention` … */
const SAYS_NOT =
  "the (?:given |provided |above )?(?:passages?|texts?|contexts?|document(?:ation|s)?) (?:does not|doesn't|do not|don't) (?:contain|mention|provide|say|specify|include|state|address|answer|describe|cover|explain)";

/** `this is not mentioned`, `I could not find`, `I do not know`, `there is no information on` … */
const IS_NOT_THERE = [
  "this information is not (?:in|given|found|provided|available|mentioned)",
  "(?:this|that|it|the answer) is not (?:mentioned|specified|stated|given|described|covered|provided|documented|answered|found) (?:in|by) the (?:given |provided |above )?(?:passages?|texts?|contexts?|document)",
  "i (?:do not|don't) (?:know|have (?:enough |the |any )?information)",
  "i (?:cannot|can't|can not|could not|couldn't|am unable to|am not able to|was unable to) (?:answer|find|tell|determine|say|provide an answer)",
  "there is no (?:information|mention|answer)\\b",
  "no (?:information|mention|answer) (?:is|was|can be|could be) (?:given|found|provided|available|made)",
];

/** How English models say that they have no answer where they do not keep to a sentence that they were given. */
const REFUSAL = new RegExp(`^${OPENING}(?:${[SAYS_NOT, ...IS_NOT_THERE].join("|")})`, "i");

const bare = (text: string): string => words(text).join(" ");

/**
 * Tells an answer that says there is none: it begins with one of these sentences, whatever its case and punctuation and what follows it, or in a
 * common English way of saying so. In other languages the sentences alone are known.
 */
export function refusalTest(...sentences: readonly (string | undefined)[]): (answer: string) => boolean {
  const wanted = sentences.flatMap((sentence) => (sentence === undefined ? [] : bare(sentence) || []));
  return (answer) => {
    const said = `${bare(answer)} `;
    // Typographic apostrophes are models' own.
    return wanted.some((one) => said.startsWith(`${one} `)) || REFUSAL.test(answer.trim().replaceAll("’", "'"));
  };
}
