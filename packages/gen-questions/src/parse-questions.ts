/** `Question 2:`, `**Q1.**`, `2)`, `-` before a question. */
const LABEL =
  /^\s*(?:[-*•]\s+)?(?:\*\*|__)?((?:question\s*:?|q)\s*\d+\s*[:.)-]|question\s*:|\d+\s*[.):])?(?:\*\*|__)?\s*/i;

/** Questions of one passage, at most. */
const MAX_QUESTIONS = 2;

function clean(text: string): string {
  return text
    .replace(LABEL, "")
    .replace(/^["“*_\s]+|["”*_\s]+$/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * The questions of a model's reply: the first line that is not empty (with or without a label), then every line that is
 * labelled as a question; each must end with `?`. Duplicates go. Nothing usable = an empty list.
 */
export function parseQuestions(reply: string): string[] {
  const lines = reply.split(/\r?\n/).filter((line) => line.trim() !== "" && !/^\s*questions?\s*:\s*$/i.test(line));
  const found: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (index > 0 && LABEL.exec(line)?.[1] === undefined) continue;
    const question = clean(line);
    if (question.length < 4 || !question.endsWith("?")) continue;
    if (!found.some((other) => other.toLowerCase() === question.toLowerCase())) found.push(question);
  }
  return found.slice(0, MAX_QUESTIONS);
}
