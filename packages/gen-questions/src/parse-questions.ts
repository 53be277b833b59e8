/** Questions of one passage, at most. */
const MAX_QUESTIONS = 2;

/** Question marks of all scripts: Latin, full width, Arabic, Greek, Armenian, Ethiopic, Vai, Coptic, doubled and reversed ones. */
const MARK = /[?？؟\u037E՞፧⸮꘏⳺⁇⁈⁉︖﹖]["”'’»」』)）*_`\s]*$/u;

/** Scripts that end a question without a mark: Thai, Lao, Khmer, Burmese, Tibetan; a Japanese question may end in か. */
const WITHOUT_MARK =
  /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}][.។၊။]?$|か。?$/u;

/** A word or two before a number or a colon: `Question 1`, `Q2`, `Frage 1`, `質問１`, `Вопрос 2`, `Question no. 2`. */
const NAME =
  "(?:questions?|q|frage|pregunta|pergunta|domanda|vraag|spørgsmål|fråga|pytanie|soru|вопрос|питання|ερώτηση|سؤال|प्रश्न|प्रश्‍न|คำถาม|câu hỏi|質問|问题|問題|問|질문|문제)";
/** What a label stands in: emphasis, brackets. */
const OPEN = String.raw`[\s>*_#\[(【「]*`;
const CLOSE = String.raw`[\s*_\])】」]*`;
const LABEL = new RegExp(
  [
    // Question 1: …, **Q2** - …, Frage 1. …, 質問１：…
    String.raw`^${OPEN}${NAME}\s*(?:no\.?|n[°º]|#|№)?\s*[\p{Nd}]+${CLOSE}(?:[:：.)）、\-–—]+${CLOSE}|$|\s+)`,
    // Question: …, Q. …, First question: …, Question one: …
    `^${OPEN}(?:(?:the |your |my )?(?:first|second|third|next|follow-up|1st|2nd) )?${NAME}(?: (?:one|two|three|a|b))?${CLOSE}(?:[:：]${CLOSE}|[.)–—-]${CLOSE} )`,
    // 1. …, 2) …, (3) …, 1️⃣ …, ① …
    String.raw`^${OPEN}[\p{Nd}]{1,2}(?:\uFE0F?\u20E3|${CLOSE}[.):：)）、\-–—]${CLOSE})\s*`,
    String.raw`^${OPEN}[①-⑳❶-❿]\s*`,
    // - …, * …, • …
    String.raw`^\s*[-*•‣◦–—·]\s+`,
  ].join("|"),
  "iu",
);
/** A label in the middle of a line, behind the end of a question or of what leads up to it. */
const INNER = new RegExp(
  String.raw`(?<=[?？؟:：]["”*_)\s]*)\s(?=${OPEN}(?:${NAME}\s*\d*${CLOSE}[:：.)-]|\d[.):）]\s))`,
  "giu",
);

/** What leads up to a question in its own line. */
const LEAD_IN =
  /^(?:(?:sure|okay|ok|certainly|of course|yes)[,!. ]+)?(?:here|two|the|these)\b[^?:：]{0,80}[:：]\s+(?=\S)/i;

/** Lines that open an answer, and what an assistant asks for itself. */
const ANSWER = /^[\s>*_#-]*(?:answer|a|antwort|respuesta|réponse|回答|答)\s*\d*[*_]*\s*[:：]/iu;
const OFFER =
  /^(?:would|do|shall|should|can|may|could|is there|are there)\b[^?]*\b(?:you (?:like|want|need|prefer)|i (?:help|add|make|write|generate|provide)|anything else|more questions?|further|other questions?)\b|^(?:is|are|does|do) (?:this|these|that|those) (?:what you|help|work|good|questions)/i;
/** Leans on the line before it. */
const LEANING = /^(?:and|or|but|also|so|then)\b/i;

interface Line {
  text: string;
  labelled: boolean;
}

function clean(text: string): string {
  let rest = text.trim();
  // `Question: 1. …` has two labels.
  for (let label = LABEL.exec(rest); label?.[0]; label = LABEL.exec(rest)) {
    const after = rest.slice(label[0].length);
    if (after === rest) break;
    rest = after;
  }
  return rest
    .replace(LEAD_IN, "")
    .replace(/^(?:["“”«»「『'*_`#>\s])+|(?:["“”«»」』'*_`\s]|<\/?[a-z_|]+>)+$/giu, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** What the assistant asks for itself, at the end of what it says. */
const isOffer = (text: string): boolean => OFFER.test(text.split(/(?<=[.!])\s+/).at(-1) ?? "");

function isQuestion(text: string, labelled: boolean): boolean {
  return text.length >= 4 && (MARK.test(text) || (labelled && WITHOUT_MARK.test(text)));
}

/** Lines with what is known of each; a label alone on its line belongs to the line after it. */
function linesOf(reply: string): Line[] {
  const lines: Line[] = [];
  let pending = false;
  for (const raw of reply.replace(INNER, "\n").split(/\r?\n/)) {
    if (raw.trim() === "" || /^\s*(?:```|~~~)/.test(raw)) continue;
    if (ANSWER.test(raw)) {
      pending = false;
      continue;
    }
    const labelled = LABEL.test(raw);
    const text = clean(raw);
    if (text === "") {
      pending ||= labelled;
      continue;
    }
    lines.push({ text, labelled: labelled || pending });
    pending = false;
  }
  return lines;
}

/** Two questions that stand side by side in one line without labels. */
function split(text: string): string[] {
  return text.split(/(?<=[?？؟]["”]?)\s+(?=["“¿]?\p{Lu})/u);
}

/** All strings of a parsed JSON reply that may be questions, in order: items of lists, and values of keys that speak of questions. */
function stringsOf(value: unknown, key = "question"): string[] {
  if (typeof value === "string") return /question|^q\d*$|text|^\d+$/i.test(key) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => stringsOf(item, key));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => stringsOf(item, name));
}

/** The first JSON object or list of a reply, bare or in any fence, with prose around it; undefined when there is none. */
function jsonOf(reply: string): unknown {
  const fenced = [...reply.matchAll(/(?:```|~~~)\w*\s*\n?([\s\S]*?)(?:```|~~~|$)/g)].map(([, body = ""]) => body);
  for (const text of [...fenced, reply]) {
    for (const [open, close] of [
      ["{", "}"],
      ["[", "]"],
    ] as const) {
      const body = text.slice(text.indexOf(open), text.lastIndexOf(close) + 1);
      if (!body.startsWith(open) || (open === "{" && text.trimStart().startsWith("["))) continue;
      try {
        return JSON.parse(body);
      } catch {
        // Not this one: `[sic]` in a sentence, or JSON that was cut.
      }
    }
  }
  return undefined;
}

/** Strings of JSON that was cut or is not well-formed: `"What is it?"` as an item or value of its own. */
function quotedQuestions(reply: string): string[] {
  if (!/^\s*(?:```\w*\s*)?[[{]/.test(reply)) return [];
  return [...reply.matchAll(/(?:[[,:]\s*)"((?:[^"\\]|\\.)*)"/g)].flatMap(([, text = ""]) => {
    try {
      return [JSON.parse(`"${text}"`) as string];
    } catch {
      return [];
    }
  });
}

/** `<question>…</question>`, `<q1>…</q1>`. */
function taggedQuestions(reply: string): string[] {
  return [...reply.matchAll(/<(question|q)_?\d*(?:\s[^>]*)?>([\s\S]*?)<\/\1_?\d*>/gi)].map(([, , text = ""]) => text);
}

/** The questions among the lines: those with a label; then the first line; then others that stand alone. In the order of the reply. */
function questionsOfLines(reply: string): string[] {
  const lines = linesOf(reply);
  const only = lines.length === 1 && !lines[0]?.labelled ? lines[0] : undefined;
  const all = only ? split(only.text).map((text) => ({ text, labelled: false })) : lines;
  const found = all.filter(({ text, labelled }) => isQuestion(text, labelled) && !isOffer(text));
  const labelled = found.filter((line) => line.labelled);
  const wanted = new Set(labelled);
  // A prompt that ends with `Question 1:` is gone on with, so that the first line has no label.
  const [first] = all;
  if (first && found.includes(first)) wanted.add(first);
  if (labelled.length === 0)
    for (const line of found) if (wanted.size < MAX_QUESTIONS && !LEANING.test(line.text)) wanted.add(line);
  return found.filter((line) => wanted.has(line)).map(({ text }) => text);
}

/**
 * The questions of a model's reply, in every form that models are seen to give: JSON (an object or a list, bare or in a fence, with prose
 * around it), tags, and lines with labels, numbers, bullets, headings or nothing before them, also several on one line. Labels are taken
 * off; each ends with a question mark, where its script has one. Duplicates go. Nothing usable = an empty list.
 */
export function parseQuestions(reply: string): string[] {
  const structured = [() => stringsOf(jsonOf(reply)), () => taggedQuestions(reply), () => quotedQuestions(reply)];
  let texts: string[] = [];
  for (const read of structured) {
    texts = read()
      .map(clean)
      .filter((text) => isQuestion(text, true));
    if (texts.length > 0) break;
  }
  if (texts.length === 0) texts = questionsOfLines(reply);
  const found: string[] = [];
  for (const text of texts) if (!found.some((other) => other.toLowerCase() === text.toLowerCase())) found.push(text);
  return found.slice(0, MAX_QUESTIONS);
}
