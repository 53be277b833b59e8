// biome-ignore-all lint/correctness/noUnusedVariables: the page's own script, which follows in the same scope, uses them.
// What every page's script has at hand. Elements are made with text nodes only: nothing that comes from data is read as HTML.

/**
 * The value that the page was made with.
 *
 * @returns {any}
 */
function pageData() {
  return JSON.parse(document.getElementById("page-data")?.textContent ?? "null");
}

/**
 * @param {string} name
 * @param {string} [className]
 * @param {(Node | string)[]} [children]
 * @returns {HTMLElement}
 */
function element(name, className = "", children = []) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/**
 * @param {string} text
 * @returns {{ word: string, start: number, end: number }[]}
 */
function wordsOf(text) {
  return [...text.matchAll(/[\p{L}\p{N}]+/gu)].map((match) => ({
    word: match[0].toLowerCase(),
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/**
 * Ranges of `text` that stand word for word in `reference`: runs of at least three words, or of all its words if it has fewer.
 *
 * @param {string} text
 * @param {string} reference
 * @returns {[start: number, end: number][]}
 */
function sharedRanges(text, reference) {
  const wanted = wordsOf(reference).map(({ word }) => word);
  const size = Math.min(3, wanted.length);
  if (size === 0) return [];
  const runs = new Set(wanted.slice(0, wanted.length - size + 1).map((_, i) => wanted.slice(i, i + size).join(" ")));
  const words = wordsOf(text);
  /** @type {[number, number][]} */
  const ranges = [];
  for (let i = 0; i + size <= words.length; i++) {
    const run = words.slice(i, i + size);
    if (!runs.has(run.map(({ word }) => word).join(" "))) continue;
    const start = run[0].start;
    const end = run[size - 1].end;
    const last = ranges.at(-1);
    // The next run of a longer one begins before this one ends.
    if (last && start <= last[1]) last[1] = end;
    else ranges.push([start, end]);
  }
  return ranges;
}

/**
 * Ranges of every occurrence of `query`, in any case.
 *
 * @param {string} text
 * @param {string} query
 * @returns {[start: number, end: number][]}
 */
function foundRanges(text, query) {
  if (query === "") return [];
  const escaped = query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return [...text.matchAll(new RegExp(escaped, "giu"))].map((match) => [match.index, match.index + match[0].length]);
}

/**
 * The text with ranges in `<mark>`s.
 *
 * @param {string} text
 * @param {[start: number, end: number][]} ranges in order, not overlapping
 * @param {string} [className]
 * @returns {(Node | string)[]}
 */
function withMarks(text, ranges, className = "") {
  /** @type {(Node | string)[]} */
  const parts = [];
  let at = 0;
  for (const [start, end] of ranges) {
    parts.push(text.slice(at, start), element("mark", className, [text.slice(start, end)]));
    at = end;
  }
  parts.push(text.slice(at));
  return parts;
}

/**
 * Where a text is code: blocks between fences (three backticks), and words between single ones.
 *
 * @param {string} text
 * @returns {{ kind: "text" | "code" | "block", start: number, end: number }[]} in order; fences and backticks are in none
 */
function codeParts(text) {
  const code = /^```[^\n]*\n(?<block>[\s\S]*?)(?:\n?^```[^\S\n]*$|$(?![\s\S]))|(?<!`)`(?<code>[^`\n]+)`(?!`)/dgmu;
  /** @type {ReturnType<typeof codeParts>} */
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(code)) {
    const kind = match.groups?.block === undefined ? "code" : "block";
    const [start, end] = match.indices?.groups?.[kind] ?? [at, at];
    parts.push({ kind: "text", start: at, end: match.index }, { kind, start, end });
    at = match.index + match[0].length;
  }
  parts.push({ kind: "text", start: at, end: text.length });
  return parts.filter(({ start, end }) => start < end);
}

/**
 * The text with its code in a fixed font, and ranges in `<mark>`s.
 *
 * @param {string} text
 * @param {[start: number, end: number][]} [ranges] in order, not overlapping
 * @param {string} [className] of the marks
 * @returns {(Node | string)[]}
 */
function withCode(text, ranges = [], className = "") {
  return codeParts(text).flatMap(({ kind, start, end }) => {
    const own = ranges
      .filter(([from, to]) => from < end && to > start)
      .map(
        ([from, to]) => /** @type {[number, number]} */ ([Math.max(from, start) - start, Math.min(to, end) - start]),
      );
    const content = withMarks(text.slice(start, end), own, className);
    if (kind === "text") return content;
    const code = element("code", "", content);
    if (kind === "code") return [code];
    const pre = element("pre", "scroll", [code]);
    // What scrolls must be reached by keys.
    pre.tabIndex = 0;
    return [pre];
  });
}

/**
 * One passage: where it is from, what it is, its text with code in a fixed font and the words of the gold answer marked.
 *
 * @param {{ source: string, title?: string, url?: string, text: string }} passage
 * @param {{ gold: boolean, labels: (Node | string)[], answer: string }} how
 * @returns {HTMLElement}
 */
function passageElement(passage, { gold, labels, answer }) {
  const head = element("div", "passage-head", [
    ...labels.map((label) => (typeof label === "string" ? element("span", "badge", [label]) : label)),
    ...(gold ? [element("span", "badge good", ["gold"])] : []),
    element("span", "", [...(passage.title ? [`${passage.title} · `] : []), sourceElement(passage)]),
  ]);
  const text = element("div", "text", withCode(passage.text, sharedRanges(passage.text, answer)));
  return element("div", gold ? "passage gold" : "passage", [head, text]);
}

/**
 * A passage's source, as a link where it has an address.
 *
 * @param {{ source: string, url?: string }} passage
 * @returns {Node | string}
 */
function sourceElement({ source, url }) {
  if (!url) return source;
  const link = /** @type {HTMLAnchorElement} */ (element("a", "", [source]));
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}
