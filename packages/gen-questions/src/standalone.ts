/** What lies before a reader, and not before someone who searches. */
const TEXT =
  "(?:passage|text|article|document|documentation|page|excerpt|paragraph|section|snippet|context|information|description|author)s?";
const SAYS = "(?:say|state|mention|describe|explain|discuss|suggest|recommend|refer)(?:s|ed)?";
const SAID = "(?:mentioned|described|stated|listed|discussed|shown|provided|outlined|explained|given)";

/**
 * Signs that a question leans on a text at hand. "The document", "the table" or "the author" alone are none: documentation is about such
 * things, too ("Who is the author of a commit?").
 */
const LEANING = [
  `\\b(?:according to|based on|as ${SAID} (?:in|by)) (?:the|this|these) (?:(?:given|provided|above|following) )?${TEXT}\\b`,
  `\\b(?:the|this|these) (?:given|provided|above|aforementioned) ${TEXT}\\b`,
  "\\b(?:the|this) (?:passage|excerpt)\\b",
  "\\bthis (?:text|article|document|page|section|paragraph|snippet)\\b",
  `\\b(?:does|did|do) (?:the|this) ${TEXT} ${SAYS}\\b`,
  `\\b(?:the|this) ${TEXT} ${SAYS}\\b`,
  `\\b${SAID} (?:above|below|here|in (?:this ${TEXT}|the (?:passage|text|article|document|paragraph)))\\b`,
  "\\b(?:has|have) been mentioned\\b",
].map((pattern) => new RegExp(pattern));

/** Whether a question can be understood by someone who has not the passage before them. Rules for English. */
export function isStandalone(question: string): boolean {
  const text = question.toLowerCase().replace(/\s+/g, " ");
  return !LEANING.some((pattern) => pattern.test(text));
}
