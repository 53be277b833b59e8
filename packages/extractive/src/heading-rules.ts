import { type Candidate, namesSubject, type SentenceContext, withSubject } from "./candidate.js";
import { baseOfGerund, doOrDoes, isBaseVerb, lowerTitle, pointsElsewhere } from "./wording.js";

/** Headings that say nothing about what stands below them. */
const EMPTY_HEADING =
  /^(usage|api|docs?|documentation|examples?|options?|methods?|properties|properties and methods|notes?|license|licence|related|faq|tips|credits?|authors?|thanks|acknowledge?ments?|contributing|contributors?|maintainers?|support|changelog|history|release notes|table of contents|contents|introduction|overview|quick start|getting started|features?|links?|references?|resources|security|see also|more|other|misc(ellaneous)?|background|motivation|returns?|arguments?|parameters?|params|syntax|description|details|todo|status|sponsors?|backers|community|development|building|tests?|testing|running tests|benchmarks?|performance|roadmap|general|basics?|advanced|advanced usage|basic usage|summary|about|highlights|packages|default|type|types|common|functions?|events?|classes|constructor|exports?|caveats?|warning|important|goals?|api reference|configuration|setup|requirements|compatibility|comparison|limitations?|donations?|team|users?|build|debugging|troubleshooting|task|other notes)$|licen[sc]|copyright|enterprise|sponsor|security contact|tidelift|table of/i;

const INSTALL = /^(install(ation|ing)?|how to install)\b/i;

function cleanHeading(heading: string): string {
  return heading
    .replace(/\p{Extended_Pictographic}/gu, "")
    .replace(/^\d+(\.\d+)*[.)]?\s+/, "")
    .replace(/^(example|recipe|note)s?\s*[-–—:]\s*/i, "")
    .replace(/[:.]+$/, "")
    .trim();
}

/** `limit(fn, ...args)` → `limit`; `options.stdin` → the option's name; undefined for prose. */
function apiName(heading: string): { name: string; option: boolean } | undefined {
  const bare = heading
    .replace(/^(new|static|async|await|class|const|function)\s+/, "")
    .replace(/\s*(→|=>|->|⇒).*$/, "");
  const called = /^([\w$.#]+(?:<[^>]*>)?)\s*\(.*\)?$/.exec(bare)?.[1];
  if (called && /[a-z]/i.test(called) && !/ \(/.test(heading))
    return { name: `${called.replace(/<.*$/, "")}()`, option: false };
  const option = /^(?:opts|options|params|config)\.([\w.]+)$/i.exec(bare)?.[1];
  if (option) return { name: option, option: true };
  if (/^--?[a-z][\w-]*/.test(bare)) return { name: bare.split(/[\s,=]/)[0] ?? bare, option: true };
  if (/^[\w$]*(\.[\w$]+)+$/.test(bare) || /^[a-z]+[A-Z]\w*$/.test(bare)) return { name: bare, option: false };
  return undefined;
}

/** The question that a section's heading stands for, answered by its opening sentence. */
export function headingQuestion(context: SentenceContext): Omit<Candidate, "answer"> | undefined {
  const { headings, subject, opensSection } = context;
  if (!opensSection || headings.length === 0) return undefined;
  const heading = cleanHeading(headings.at(-1) ?? "");
  if (heading === "") return undefined;
  const parents = headings.slice(0, -1).map(cleanHeading);

  if (INSTALL.test(heading))
    return { question: `How do I install ${subject ?? "it"}?`, rule: "install", score: subject ? 0.75 : 0 };
  const api = apiName(heading);
  if (api) {
    const inOptions = api.option || parents.some((parent) => /options?\b/i.test(parent));
    const question =
      inOptions && !api.name.endsWith("()") ? `What does the ${api.name} option do` : `What does ${api.name} do`;
    return { question: withSubject(question, subject), rule: "heading-api", score: 0.9 };
  }
  if (heading.length > 70) return undefined;
  if (/^[A-Z][a-z]+[A-Z]\w+$/.test(heading) && !(subject && namesSubject(heading, subject)))
    return { question: withSubject(`What is ${heading}`, subject), rule: "heading-api", score: 0.85 };
  if (EMPTY_HEADING.test(heading) || /^v?\d/.test(heading) || /[{}[\]<>=|]/.test(heading)) return undefined;
  const names = subject !== undefined && namesSubject(heading, subject);
  if (headings.length === 1 && (names || subject === undefined)) return undefined;
  if (heading.endsWith("?")) {
    const asked = heading.replace(
      /\b(this|it)( (?:package|module|library|project|tool))?\b/gi,
      (found) => subject ?? found,
    );
    if (/^why\??$/i.test(asked))
      return subject ? { question: `Why would I use ${subject}?`, rule: "heading", score: 0.8 } : undefined;
    return asked.split(/\s+/).length >= 3 && !pointsElsewhere(asked.replace(subject ?? "", ""))
      ? { question: withSubject(asked, subject), rule: "heading", score: 0.9 }
      : undefined;
  }
  if (/^why\b/i.test(heading) || pointsElsewhere(heading)) return undefined;
  const [first = "", ...rest] = heading.split(/\s+/);
  const verb =
    baseOfGerund(first.toLowerCase()) ??
    (isBaseVerb(first.toLowerCase()) && rest.length >= 2 ? first.toLowerCase() : undefined);
  if (/^how to$/i.test(`${first} ${rest[0] ?? ""}`) && rest.length >= 2)
    return {
      question: withSubject(`How do I ${rest.slice(1).join(" ")}`, subject, "with"),
      rule: "heading",
      score: 0.9,
    };
  if (verb !== undefined && rest.length > 0)
    return {
      question: withSubject(`How do I ${verb} ${rest.join(" ")}`, subject, "with"),
      rule: "heading",
      score: 0.85,
    };
  if (/^[\w$-]+$/.test(heading) && parents.some((parent) => /options?\b/i.test(parent)))
    return { question: withSubject(`What does the ${heading} option do`, subject), rule: "heading-api", score: 0.9 };
  if (heading.split(/\s+/).length > 6 || /[,;:!]/.test(heading)) return undefined;
  if (/^[a-z]+$/.test(heading)) return undefined;
  const phrase = lowerTitle(heading);
  return names || subject === undefined
    ? { question: `How ${doOrDoes(phrase)} ${phrase} work?`, rule: "heading", score: 0.5 }
    : { question: `What does ${subject} say about ${phrase}?`, rule: "heading", score: 0.65 };
}
