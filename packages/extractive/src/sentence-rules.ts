import { type Candidate, namesSubject, type SentenceContext, withSubject } from "./candidate.js";
import { asReader, baseOfThirdPerson, isBaseVerb, lowerFirst, pointsElsewhere } from "./wording.js";

/** A rule makes a question of one sentence, or nothing. It sees plain text; the answer is the sentence as it stands. */
type SentenceRule = (context: SentenceContext) => Omit<Candidate, "answer"> | undefined;

const words = (text: string): number => text.trim().split(/\s+/).length;
const within = (text: string, low: number, high: number): boolean => words(text) >= low && words(text) <= high;
const unclear = (clause: string): boolean =>
  pointsElsewhere(clause) || /[;:?"“”=]|\.\s|[()]{2}.*\s| (along|together|up|with|by|to|of)$/.test(clause);

/** `X is a …` → What is X? */
const definition: SentenceRule = ({ plain, subject }) => {
  const match =
    /^(?:(?:The|An?) )?([\w@/.+#-]+(?: [\w@/.+#-]+){0,4}?) (is|are) (an? |the |one of |\w+ (?:that|which|for) )/.exec(
      plain,
    );
  const term = match?.[1];
  if (!match || !term || unclear(term) || words(plain) < 6) return undefined;
  if (
    /^(there|what|which|same|default|note|if|when|and|but|or|so|as|for|all|each|every|most|some|any|by|in|on|with|return|default value|goal|result|value|only|first|second|last|main|reason|difference|problem|idea|purpose|following|rest|type|arguments|parameters|options|method|function)$|^(there|what|which|note|if|when|and|but|or|so|as|for|by|in|on|with|all|each|every|most|some|any|only|default)\b/i.test(
      term,
    )
  )
    return undefined;
  if (/ (that|which|whose|you|and|of|to|in|for|with|from|on|as) /.test(` ${term} `)) return undefined;
  const article = /^The /.test(plain) ? "the " : /^An? /.test(plain) ? `${plain.split(" ")[0]?.toLowerCase()} ` : "";
  const known = subject !== undefined && namesSubject(term, subject);
  const name = article || known || / \p{Lu}/u.test(term) ? term : lowerFirst(term);
  return {
    question: withSubject(`What ${match[2]} ${article}${name}`, subject),
    rule: "definition",
    score: known ? 1 : 0.8,
  };
};

/** `` `foo(bar)` returns … `` → What does foo return? */
const apiEntry: SentenceRule = ({ sentence, subject }) => {
  const match =
    /^(?:The )?`([^`\s]{2,40})`(?: (method|function|option|property|flag|argument|parameter|event|class|hook|helper|command))? ([a-z]+) (.*)$/.exec(
      sentence,
    );
  const name = match?.[1]?.replace(/\(.*$/, "").replace(/[,;:.]+$/, "");
  const base = match?.[3] ? baseOfThirdPerson(match[3]) : undefined;
  if (!match || !name || !base || name.length < 2) return undefined;
  const what = match[2] ? `the ${name} ${match[2]}` : name;
  const object =
    /^(return|accept|provide|contain|expect|support|take|require|emit|throw|expose|receive|allow|default)$/.test(base)
      ? base
      : "do";
  return {
    question: withSubject(`What does ${what} ${object === "default" ? "default to" : object}`, subject),
    rule: "api",
    score: 0.95,
  };
};

/** `To <verb> …, <rest>` → How do I <verb> …? */
const purpose: SentenceRule = ({ plain, subject }) => {
  const match =
    /^(?:In order to|To) ([a-z]+)( [^,]+), (?!and\b|or\b)(.+)$/.exec(plain) ??
    /^If you (?:want|need|wish|would like) to ([a-z]+)( [^,]+), (.+)$/.exec(plain);
  const verb = match?.[1];
  if (!match || !verb || !isBaseVerb(verb) || verb === "be") return undefined;
  const clause = `${verb}${match[2]}`;
  if (unclear(clause) || !within(clause, 2, 14) || words(match[3] ?? "") < 3) return undefined;
  return { question: withSubject(`How do I ${asReader(clause)}`, subject, "with"), rule: "purpose", score: 0.9 };
};

/** `Use <thing> to <verb> …` → How do I <verb> …? */
const useTo: SentenceRule = ({ plain, subject }) => {
  const match =
    /^(?:Just |You can |You may |Simply )?(?:[Uu]se|[Cc]all|[Pp]ass|[Ss]et|[Rr]un|[Aa]dd|[Ss]pecify) ((?:[^,.]|\.(?=\S))+?) to ([a-z]+)( [^,]+?)\.?$/.exec(
      plain,
    );
  const verb = match?.[2];
  if (!match || !verb || !isBaseVerb(verb) || verb === "be") return undefined;
  const clause = `${verb}${match[3]}`;
  if (unclear(clause) || !within(clause, 2, 14)) return undefined;
  return { question: withSubject(`How do I ${asReader(clause)}`, subject, "with"), rule: "use-to", score: 0.9 };
};

/** `You can <verb> … by/using/with …` → How can I <verb> …? */
const youCan: SentenceRule = ({ plain, subject }) => {
  const match =
    /^(?:You|Users|One) (?:can|may|could)(?: also| either| easily| simply| then)? ([a-z]+)( [^,]+?) (by|using|with|via|through) (.+)$/.exec(
      plain,
    );
  const verb = match?.[1];
  if (!match || !verb || !isBaseVerb(verb) || /^(use|see|find|be)$/.test(verb)) return undefined;
  const clause = `${verb}${match[2]}`;
  if (unclear(clause) || !within(clause, 2, 12) || words(match[4] ?? "") < 2) return undefined;
  return { question: withSubject(`How can I ${asReader(clause)}`, subject), rule: "you-can", score: 0.9 };
};

/** `If|When <clause>, <rest>` → What happens if <clause>? */
const condition: SentenceRule = ({ plain, subject }) => {
  const match = /^(If|When|Whenever) ([^,]+), (?:then )?(.+)$/.exec(plain);
  const clause = match?.[2];
  if (!match || !clause || !match[3]) return undefined;
  if (unclear(clause) || !within(clause, 3, 13) || words(match[3]) < 4) return undefined;
  if (
    /^(you (want|need|wish|would like|have any|are interested|find|don't|do not|prefer)|possible|so|not|using|\w+ing)\b/i.test(
      clause,
    )
  )
    return undefined;
  if (/^(please|see|check|feel|make sure|consider|open|let)\b/i.test(match[3])) return undefined;
  // "What happens" asks for what is done; where the reader is told to act, the question is what to do.
  const told = /^(use|you (?:can|should|must|need|may)|set|pass|call|add|run|try)\b/i.test(match[3]);
  const opening = told ? "What should I do" : "What happens";
  const word = match[1] === "If" ? "if" : "when";
  return { question: withSubject(`${opening} ${word} ${asReader(clause)}`, subject), rule: "condition", score: 0.85 };
};

/** `The parser supports …` → What does the parser support? */
const action: SentenceRule = ({ plain, subject }) => {
  const match = /^((?:The |An? )?[\w@/.+-]+(?: [\w@/.+-]+){0,3}?) ([a-z]+) (.+)$/.exec(plain);
  const who = match?.[1];
  const verb = match?.[2];
  const base = verb ? baseOfThirdPerson(verb) : undefined;
  if (!match || !who || !base || !match[3] || unclear(who) || words(match[3]) < 4) return undefined;
  if (
    /\b(you|and|or|if|when|that|which|to|of|for|as|by|in|with|what|also|only|not|who|please|everything|everyone)\b/i.test(
      who,
    )
  )
    return undefined;
  if (!/^(The|An?) /.test(who) && !(subject && namesSubject(who, subject))) return undefined;
  const object =
    /^(support|return|provide|accept|require|allow|include|contain|expose|offer|use|expect|export|emit|default)$/.test(
      base,
    );
  const name = /^(The|An?) /.test(who) ? who.charAt(0).toLowerCase() + who.slice(1) : who;
  const question = object ? `What does ${name} ${base === "default" ? "default to" : base}` : `What does ${name} do`;
  return { question: withSubject(question, subject), rule: "action", score: object ? 0.8 : 0.7 };
};

/** `X lets you …`, `X can be used to …` → What can I do / use X for? */
const ability: SentenceRule = ({ plain, subject }) => {
  const match =
    /^((?:The |An? )?[\w@/.+-]+(?: [\w@/.+-]+){0,3}?) (?:can be used|is used|are used|is useful|allows you|lets you|helps you) (?:to |for |when )?(.+)$/.exec(
      plain,
    );
  const who = match?.[1];
  if (!match || !who || !match[2] || unclear(who) || words(match[2]) < 4) return undefined;
  if (/\b(you|and|or|if|when|that|which|to|of|also|not)\b/i.test(who)) return undefined;
  const name = /^(The|An?) /.test(who) ? who.charAt(0).toLowerCase() + who.slice(1) : who;
  return { question: withSubject(`What can I use ${name} for`, subject), rule: "ability", score: 0.85 };
};

/** All sentence rules, in order of preference. */
export const sentenceRules: readonly SentenceRule[] = [
  apiEntry,
  definition,
  ability,
  purpose,
  useTo,
  youCan,
  condition,
  action,
];
