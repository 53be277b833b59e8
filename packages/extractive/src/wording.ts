/** Third person to base form, for verbs that documentation uses of functions, options and packages. */
const BASE_FORMS: Record<string, string> = Object.fromEntries(
  `accept add allow apply appear append behave bind block build bundle call cache catch change check clean close collect combine
  compile compose compute concatenate configure connect consist consume contain control convert copy count create decide
  declare decode default define delegate delete depend describe detect determine disable display do download emit enable encode
  end enforce ensure escape evaluate execute exit expect expose export extend extract fail fetch fill filter find fire
  flatten follow force format forward generate get give grant group guarantee handle help hide hold ignore implement import include indicate
  inherit insert inspect install instruct integrate invoke keep let limit link list listen load log look make manage map match mean
  measure merge modify move need normalize notify offer omit open optimize order output override parse pass patch perform pick point
  prefix prepare prepend preserve prevent print process produce promise prompt protect provide pull put raise read receive
  record recommend redirect reduce refer register reject release reload remove render repeat replace report represent request
  require reset resolve respect restore restrict result retain retry return return reuse reverse rewrite run save search select send
  serialize serve set show signal skip sort specify split start stop store strip support suppress swap switch take target tell
  terminate test throw toggle track transform translate traverse treat trigger trim truncate turn unref update upgrade use validate
  verify wait walk warn watch work wrap write yield`
    .split(/\s+/)
    .map((verb) => [thirdPerson(verb), verb]),
);

function thirdPerson(verb: string): string {
  if (verb === "do") return "does";
  if (/(s|x|z|ch|sh)$/.test(verb)) return `${verb}es`;
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ies`;
  return `${verb}s`;
}

const BASES = new Set(Object.values(BASE_FORMS));

/** `returns` → `return`; undefined for what is no known verb in the third person. */
export function baseOfThirdPerson(verb: string): string | undefined {
  return Object.hasOwn(BASE_FORMS, verb) ? BASE_FORMS[verb] : undefined;
}

export function isBaseVerb(word: string): boolean {
  return (
    BASES.has(word) ||
    /^(learn|have|be|see|customize|customise|avoid|opt|debug|publish|start|iterate|compare|access|initialize)$/.test(
      word,
    )
  );
}

/** `parsing` → `parse`; undefined when no known verb fits. */
export function baseOfGerund(word: string): string | undefined {
  if (!word.endsWith("ing")) return undefined;
  const stem = word.slice(0, -3);
  const undoubled = /(.)\1$/.test(stem) ? stem.slice(0, -1) : undefined;
  return [stem, `${stem}e`, undoubled].find((form) => form !== undefined && isBaseVerb(form));
}

/** The reader's words: `you` → `I`, `your` → `my`. */
export function asReader(clause: string): string {
  return clause
    .replace(/\byou're\b/gi, "I am")
    .replace(/\byou've\b/gi, "I have")
    .replace(/\byou are\b/gi, "I am")
    .replace(/\byou'd\b/gi, "I would")
    .replace(/\byour own\b/gi, "my own")
    .replace(/\byourself\b/gi, "myself")
    .replace(/\byours?\b/gi, "my")
    .replace(/\b(to|for|of|with|by|from|let|lets|allow|allows|give|gives) you\b/gi, "$1 me")
    .replace(/\byou\b/gi, "I");
}

/** Words that point outside the sentence, so that a question with them cannot be understood alone. */
export function pointsElsewhere(clause: string): boolean {
  return /\b(it|its|this|that's|these|those|they|them|their|he|she|such|above|below|following|former|latter|here|there|another|the same|we|our|us|one of|the other)\b/i.test(
    clause,
  );
}

const PROPER_NAME =
  /^(Node|Windows|Linux|Mac|Unicode|Python|Docker|Git|Promise|Map|Set|Array|Buffer|React|Vue|Vite|Rollup|Webpack|Babel|English|Google|Bash|Chrome|Deno|Bun|Rust|Java|Swift|Java[Ss]cript|Spark|Delta|Databricks|Unity|Azure)$/;

/** Lower-cases a first letter that is upper case only because a sentence begins with it. */
export function lowerFirst(text: string): string {
  const word = /^[A-Za-z]+/.exec(text)?.[0] ?? "";
  if (PROPER_NAME.test(word)) return text;
  return /^[A-Z][a-z]*$/.test(word) && !/^[A-Z][\w.-]*[A-Z./_(]/.test(text)
    ? text[0]?.toLowerCase() + text.slice(1)
    : text;
}

/** A title's words in lower case, but for names. */
export function lowerTitle(title: string): string {
  return title.split(" ").map(lowerFirst).join(" ");
}

/** `do` for plural noun phrases, `does` for the rest. */
export function doOrDoes(phrase: string): "do" | "does" {
  const last = phrase.split(/\s+/).at(-1) ?? "";
  return /[^su'i]s$/i.test(last) &&
    !/^(canvas|alias|https?|js|css|dns|aws|os|tls|process|access|args?\.\.\.)$/i.test(last)
    ? "do"
    : "does";
}
