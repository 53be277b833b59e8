import { type Candidate, withSubject } from "./candidate.js";
import { isReadable, splitSentences, wordCount } from "./sentences.js";

/** A name in code or bold, perhaps a type in brackets, a dash or colon, and what it does. */
const ENTRY =
  /^(?:\*\*|__)?`?((?:--?)?[\w$@][\w$.@/-]*(?:\([^)`]*\))?)(?:[ =][^`]{0,24})?`?(?:\*\*|__)?(?:,? *(?:\*\([^)]{1,40}\)\*|\([^)]{1,40}\)|`\{?[^`]{1,40}\}?`|\{[^}]{1,40}\}|<[^>]{1,40}>|_[^_]{1,40}_|\[[^\]]{1,30}\](?!\()))?(?:\*\*)? *(?::|[-–—]{1,2}|=>) +(\S.*)$/;

/** A list entry such as `` `name`: what it does `` → What does name do? */
export function itemQuestion(
  text: string,
  headings: readonly string[],
  subject: string | undefined,
): Candidate | undefined {
  const match = ENTRY.exec(text);
  const name = match?.[1]?.replace(/\(.*$/, "()");
  const description = match?.[2];
  if (!name || !description) return undefined;
  // A plain word before a dash is mostly a link list or prose; names look like code or stand in code or bold.
  const marked = /^(\*\*|__)?`|^(\*\*|__)/.test(text) || /[a-z][A-Z]|[.$()_]|^--?\w/.test(name);
  // Bold words that go on are a feature's title, not a name.
  if (/^(\*\*|__)[\w-]+ /.test(text)) return undefined;
  if (
    !marked ||
    /^\d/.test(name) ||
    name.length < 2 ||
    /^(note|example|default|warning|tip|important|returns?|type)$/i.test(name)
  )
    return undefined;
  const sentences = splitSentences(description);
  const first = sentences[0] ?? "";
  const ended = /[.!]$/.test(first) ? first : `${first}.`;
  const capital = ended.charAt(0).toUpperCase() + ended.slice(1);
  if (wordCount(first) < 6 || !isReadable(capital, 6)) return undefined;
  const options =
    headings.some((heading) => /\b(options?|config(uration)?|settings|props)\b/i.test(heading)) || name.startsWith("-");
  const noun = /^(the|an?|whether|number|name|list|path|text|string|array|object|function) /i.test(description);
  const question =
    options && !name.endsWith("()")
      ? `What does the ${name} option do`
      : noun && !name.endsWith("()")
        ? `What is ${name}`
        : `What does ${name} do`;
  return {
    question: withSubject(question, subject),
    answer: first,
    rule: "item",
    score: options || name.endsWith("()") ? 0.85 : 0.6,
  };
}
