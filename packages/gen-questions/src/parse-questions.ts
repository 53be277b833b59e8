import { isQuestion, sideBySide, withoutAdded } from "./question-form.js";

/** Questions of one passage, at most. */
const MAX_QUESTIONS = 2;

/** A word or two before a number or a colon: `Question 1`, `Q2`, `Frage 1`, `質問１`, `Вопрос 2`, `Question no. 2`. */
const NAME =
  "(?:questions?|ques|q|frage|pregunta|pergunta|domanda|vraag|spørgsmål|fråga|pytanie|soru|вопрос|питання|ερώτηση|(?:ال)?سؤال|سوال|שאלה|प्रश्न|प्रश्‍न|คำถาม(?:ที่)?|câu hỏi|質問|问题|問題|問|질문|문제)";
/** What a label stands in: emphasis, brackets. */
const OPEN = String.raw`[\s>*_#\[(【「]*`;
const CLOSE = String.raw`[\s*_\])】」]*`;
const LABEL = new RegExp(
  [
    // Question 1: …, **Q2** - …, Frage 1. …, 質問１：…
    String.raw`^${OPEN}${NAME}\s*[-–]?\s*(?:no\.?|n[°º]|#|№)?\s*[\p{Nd}]+${CLOSE}(?:\([^)]{1,40}\)${CLOSE}|[-–—]\s*\p{L}[\p{L} ]{1,30}(?=[:：]))?(?:[:：.)）、\-–—]+${CLOSE}|$|\s+)`,
    // Question: …, Q. …, First question: …, Question one: …
    `^${OPEN}(?:(?:the |your |my )?(?:first|second|third|next|follow-up|1st|2nd) )?${NAME}(?: (?:one|two|three|a|b))?${CLOSE}(?:[:：]${CLOSE}|[.)–—-]${CLOSE} )`,
    // 1. …, 2) …, (3) …, 1️⃣ …, ① …
    String.raw`^${OPEN}[\p{Nd}]{1,2}(?:\uFE0F?\u20E3|${CLOSE}[.):：)）、\-–—]${CLOSE})\s*`,
    String.raw`^${OPEN}[①-⑳❶-❿]\s*`,
    // a) …, B. …, ii. …, #1 …
    String.raw`^${OPEN}(?:[a-d]|i{1,3}|iv)${CLOSE}[.)]${CLOSE}\s+|^\s*#\p{Nd}\s+`,
    // - …, * …, • …, → …, ✅ …
    String.raw`^\s*(?:[-*+•‣◦–—·→⇒➜]|\p{So}\uFE0F?)\s+`,
  ].join("|"),
  "iu",
);
/** A label in the middle of a line, behind the end of a question or of what leads up to it. */
const INNER = new RegExp(
  String.raw`(?<=[?？؟\u037E;፧։။:：\p{Script=Thai}か]["”»*_);|/\s]*)\s(?=${OPEN}(?:${NAME}\s*\d*${CLOSE}[:：.)-]|\p{Nd}[.):）]\s))`,
  "giu",
);

/** What leads up to a question in its own line. */
const LEAD_IN =
  /^(?:(?:sure|okay|ok|certainly|of course|yes)[,!. ]+)?(?:here|two|the|these)\b[^?:：]{0,80}[:：]\s+(?=\S)/i;

/** A heading in bold before the question in its line: `**Setup:** How …`, of which the label may have taken the first marks. */
const HEADING =
  /^(?:\*\*|(?=(?:[^*]*\*\*[^*]*\*\*)*[^*]*\*\*[^*]*$))[^*?？]{1,60}(?:[:：]\s*\*\*|\*\*\s*[:：–—-])\s*(?=\S)/u;

/** A label in a language that is not among the names: `Kérdés 2: …`. */
const OTHER_LABEL = new RegExp(
  String.raw`^${OPEN}(\p{L}[\p{L}\p{M}\u200c'’]*(?:[ ]\p{L}[\p{L}\p{M}\u200c'’]*)?)[ ]*(\p{Nd}{1,2})${CLOSE}[:：.)）]`,
  "gmu",
);

/** Lines that open an answer, and what an assistant asks for itself. */
const ANSWER =
  /^[\s>*_#-]*(?:answer|a|antwort|antwoord|respuesta|resposta|risposta|réponse|odpowiedź|cevap|svar|ответ|відповідь|απάντηση|(?:ال)?جواب|(?:ال)?إجابة|پاسخ|תשובה|उत्तर|คำตอบ|답변|답|回答|答案|答)\s*\p{Nd}*[*_]*\s*[:：]/iu;
const OFFER = new RegExp(
  [
    /^(?:would|do|shall|should|can|may|could|is there|are there)\b[^?]*\b(?:you (?:like|want|need|prefer)|i (?:help|add|make|write|generate|provide)|anything else|more questions?|further|other questions?)\b/,
    /^(?:is|are|does|do) (?:this|these|that|those) (?:what you|help|work|good|questions)/,
    /^(?:could|can|would|will) you (?:please |kindly )?(?:provide|share|send|paste|give me|clarify|specify|upload)\b/,
    /^(?:what|which|how) (?:[^?]*would you like|(?:can|may) i (?:help|assist))\b/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "i",
);
/** No question begins with an apology: the assistant has not done what was asked. */
const SORRY =
  /^(?:(?:oh|i['’]m|i am|we['’]re|we are|es tut mir|tut mir|je suis|mi|lo|me)[, ]+)?(?:sorry|apologies|i apologi[sz]e|unfortunately|leid|entschuldigung|désolée?|siento|lamento|dispiace|desculpe|извините|простите|к сожалению|申し訳|すみません|抱歉|很抱歉|对不起|對不起|죄송|عذر|آسف|ขออภัย|ขอโทษ)/iu;
/** A place to fill in, that the model has left as it was: `[question]?`, `<question 1>?`. */
const PLACEHOLDER = /^(?:<[^<>]*>|\[[^\]]*\]|\{[^{}]*\}|[._…\s])*[?？]$/u;
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
  const plain = rest
    .replace(LEAD_IN, "")
    .replace(HEADING, "")
    .replace(/^(?:["“”«»「『'*_`#>\s])+|(?:["“”«»」』'*_`\s]|<\/?[a-z_|]+>)+$/giu, "")
    .replace(/\s+/g, " ")
    .trim();
  return withoutAdded(plain);
}

/** What the assistant says for itself: an offer at the end, an apology, the place of a question. */
const isOwn = (text: string): boolean =>
  SORRY.test(text) || PLACEHOLDER.test(text) || OFFER.test(text.split(/(?<=[.!])\s+/).at(-1) ?? "");

/** Every label of a name that numbers two lines, or the second, becomes one that is known. */
function withKnownLabels(reply: string): string {
  const other = [...reply.matchAll(OTHER_LABEL)];
  const name = other.find(([, , number]) => number && /^(?:[2२২٢۲၂២๒]|0[2])$/.test(number))?.[1] ?? other[0]?.[1];
  if (name === undefined) return reply;
  const label = new RegExp(String.raw`(^|\s)${OPEN}${name}[ ]*\p{Nd}{1,2}${CLOSE}[:：.)）]${CLOSE}`, "gmu");
  const labels = reply.match(label)?.length ?? 0;
  return labels > 1 || name !== other[0]?.[1] || other[0].index > 0 ? reply.replace(label, "\nQuestion 1: ") : reply;
}

/** Line breaks as such: of tags, written as two characters, and between the cells of a table's row. */
function withLineBreaks(reply: string): string {
  const broken = /\n/.test(reply.trim()) ? reply : reply.replaceAll("\\n", "\n");
  return broken
    .replace(/(?<=[?？؟;]["”*_]*)\s*<br\s*\/?>/gi, "\n")
    .replace(/^[ \t]*\|(.*)\|[ \t]*$/gm, (_, row: string) => row.replace(/(?<!\\)\|/g, "\n"));
}

/** Lines with what is known of each; a label alone on its line belongs to the line after it. */
function linesOf(reply: string): Line[] {
  const lines: Line[] = [];
  let pending = false;
  for (const raw of withKnownLabels(withLineBreaks(reply)).replace(INNER, "\n").split(/\r?\n/)) {
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

const KEY = new RegExp(
  `question|quer(?:y|ies)|^q\\d*$|text|^\\d+$|^(?:first|second|one|two)$|^${NAME}\\s*\\p{Nd}*$`,
  "iu",
);

/** All strings of a parsed JSON reply that may be questions, in order: items of lists, and values of keys that speak of questions. */
function stringsOf(value: unknown, key = "question"): string[] {
  if (typeof value === "string") return KEY.test(key) ? [value] : [];
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

/** Strings of JSON that was cut or is not well-formed, or of a list as Python writes it: `"What is it?"` as an item or value of its own. */
function quotedQuestions(reply: string): string[] {
  const begin = reply.search(/[[{]\s*["'{]/);
  if (begin < 0) return [];
  const body = reply.slice(begin);
  const double = [...body.matchAll(/(?:[[,:]\s*)"((?:[^"\\]|\\.)*)"/g)].flatMap(([, text = ""]) => {
    try {
      return [JSON.parse(`"${text}"`) as string];
    } catch {
      return [];
    }
  });
  if (double.length > 0) return double;
  return [...body.matchAll(/(?:[[,:]\s*)'((?:[^'\\]|\\.|'(?=\w))*)'(?=\s*[,\]}])/g)].map(([, text = ""]) =>
    text.replace(/\\(['"\\])/g, "$1"),
  );
}

/** `<question>…</question>`, `<q1>…</q1>`, `<li>…</li>`. */
function taggedQuestions(reply: string): string[] {
  return [...reply.matchAll(/<(question|q|li|p)_?\d*(?:\s[^>]*)?>([\s\S]*?)<\/\1_?\d*>/gi)].map(
    ([, , text = ""]) => text,
  );
}

/** The questions among the lines: those with a label; then the first line; then others that stand alone. In the order of the reply. */
function questionsOfLines(reply: string): string[] {
  const lines = linesOf(reply);
  const only = lines.length === 1 && !lines[0]?.labelled ? lines[0] : undefined;
  const all = only ? sideBySide(only.text).map((text) => ({ text, labelled: false })) : lines;
  const found = all.filter(({ text, labelled }) => isQuestion(text, labelled) && !isOwn(text));
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
      .filter((text) => isQuestion(text, true) && !isOwn(text));
    if (texts.length > 0) break;
  }
  if (texts.length === 0) texts = questionsOfLines(reply);
  const found: string[] = [];
  for (const text of texts) if (!found.some((other) => other.toLowerCase() === text.toLowerCase())) found.push(text);
  return found.slice(0, MAX_QUESTIONS);
}
