// pnpm bench documents --pages FOLDER: what becomes of the words of real pages, a set of pages of each generator (bench/pages.sh fills
// the folder), here, in LangChain.js, unstructured and docling; PDF here alone, since the others need models or other loaders for it.
// Shares are of words, of pages that are not cut, so that nothing is there twice.
//
// kept: of the words that a person sees on the page, those that are in its passages. hidden: of the words of the passages, those that
// nobody sees on the page. cut: blocks of code that fit in a passage, links and code in a line that no passage has whole, though
// the page has. Each word counts as often as it is there.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, resolve } from "node:path";
import { createRandom, formatTable } from "../packages/core/dist/index.js";
import { loadTokenizer } from "../packages/models/dist/index.js";
import { openBrowser, serve } from "./browser.mjs";
import { wanted } from "./measure.mjs";
import {
  flags,
  missing,
  processor,
  python,
  realModel,
  root,
  runJson,
  tinyModel,
  wholeNumber,
  withFolder,
} from "./tools.mjs";

const TOKENS = 400;
const OVERLAP = 50;
const SAMPLES = 20;
const PER_SET = wholeNumber("number") ?? (flags.quick ? 3 : 12);
const encoder = realModel("encoder") ?? tinyModel("encoder");
const libraries = join(root, "result/bench/documents-libraries");
const folder = flags.pages
  ? resolve(flags.pages)
  : missing("Give --pages FOLDER: a folder with a folder of pages of each generator. bench/pages.sh FOLDER makes one.");
if (!existsSync(folder)) missing(`--pages ${folder}: there is no such folder. bench/pages.sh FOLDER makes one.`);

const documents = createRequire(join(root, "packages/documents/package.json"));
const load = (name) => import(documents.resolve(name));
const [{ fromMarkdown }, { gfmTableFromMarkdown }, { gfmTable }] = await Promise.all(
  ["mdast-util-from-markdown", "mdast-util-gfm-table", "micromark-extension-gfm-table"].map(load),
);

// Marks of Markdown within a word (`Element`s) divide it no more than the page's own fonts do.
const wordsOf = (text) =>
  text
    .normalize("NFKC")
    .replace(/[\u00ad\u200b-\u200f\u2060\ufeff]|(?<=[\p{L}\p{N}_])(?:`+|\*{1,2})(?=[\p{L}\p{N}_])/gu, "")
    .match(/[\p{L}\p{M}\p{N}_]+/gu) ?? [];
const counts = (words) => {
  const map = new Map();
  for (const word of words) map.set(word, (map.get(word) ?? 0) + 1);
  return map;
};
const minus = (words, others) => {
  const left = counts(others);
  return words.filter((word) => {
    const number = left.get(word) ?? 0;
    left.set(word, number - 1);
    return number <= 0;
  });
};
const joined = (text) => ` ${wordsOf(text).join(" ")} `;

/** What micromark sees: the text of the page's own nodes, without markup, front matter and comments. */
function seeMarkdown(path) {
  const source = readFileSync(path, "utf8").replace(/^---\n[\s\S]*?\n---\n/, "");
  const seen = { text: [], code: [], short: [], alt: [] };
  const visit = (node) => {
    // Numbers of items are seen, though no node's text.
    if (node.type === "list" && node.ordered) seen.alt.push(...node.children.map((_, i) => node.start + i));
    if (node.type === "html") seen.text.push(node.value.replace(/<!--[\s\S]*?-->|<[^>]*>/g, " "));
    else if (node.value !== undefined) seen.text.push(node.value);
    if (node.type === "code") seen.code.push(node.value);
    if (node.type === "inlineCode") seen.short.push(node.value);
    for (const child of node.children ?? []) visit(child);
    // Words stand apart at the ends of blocks only.
    if (!["text", "inlineCode", "emphasis", "strong", "link", "linkReference"].includes(node.type))
      seen.text.push("\n");
  };
  visit(fromMarkdown(source, { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] }));
  return { ...seen, text: seen.text.join(""), alt: seen.alt.join(" ") };
}

/** What of a page's lines frames it: the first and last two that stand so on three pages or more, but for their numbers. */
function withoutPageFrames(pages) {
  const shape = (line) => line.trim().replace(/\d+/g, "#").replace(/\s+/g, " ");
  const edges = pages.map((page) => {
    const lines = page.split("\n");
    const filled = lines.flatMap((line, i) => (line.trim() === "" ? [] : [i]));
    return { lines, edge: new Set([...filled.slice(0, 2), ...filled.slice(-2)]) };
  });
  const times = counts(edges.flatMap(({ lines, edge }) => [...new Set([...edge].map((i) => shape(lines[i])))]));
  return edges.map(({ lines, edge }) =>
    lines.filter((line, i) => !edge.has(i) || (times.get(shape(line)) ?? 0) < 3).join("\n"),
  );
}

/**
 * The text layer, in the order of reading, without what leads elsewhere by role as in HTML: running heads, numbers of pages, lines of
 * contents. The parts of words that a line's end divides are put together on both sides.
 */
function seePdf(path) {
  const { stdout, status } = spawnSync("pdftotext", ["-layout", path, "-"], { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) missing("No pdftotext: install it (apt install poppler-utils), or leave out sets of PDF.");
  const text = withoutPageFrames(stdout.split("\f"))
    .join("\n")
    .replace(/^.*(?:\.[ \u00a0]?){4,}\s*\d+\s*$/gm, "");
  return { text: text.replace(/(\p{L})-\n\s*(\p{Ll})/gu, "$1$2"), code: [], short: [] };
}

function sampleOf(set) {
  const all = readdirSync(join(folder, set), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:html?|md|pdf)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const random = createRandom(1);
  const drawn = [];
  while (drawn.length < PER_SET && all.length > 0) drawn.push(...all.splice(random.integer(all.length), 1));
  return drawn;
}

/** A peer in Python, or what it needs when its modules are not there. */
function inPython(modules, script, needs) {
  const program = process.env.PYTHON ?? join(root, ".venv/bin/python");
  return spawnSync(program, ["-c", `import ${modules}`]).status === 0 ? (request) => python(script, request) : needs;
}

const sides = {
  ours: (request) => runJson(process.execPath, [join(root, "bench/workers/documents.mjs"), "--request", request]),
  "langchain.js": existsSync(join(libraries, "node_modules"))
    ? (request) =>
        runJson(process.execPath, [join(root, "bench/workers/documents-langchain.mjs"), "--request", request])
    : `npm install --prefix ${relative(process.cwd(), libraries)} @langchain/textsplitters @langchain/core html-to-text`,
  unstructured: inPython(
    "unstructured.partition.md",
    "documents.py",
    "bench/peers.sh, then .venv/bin/pip install 'unstructured[md]' and spaCy's en_core_web_sm",
  ),
  docling: inPython(
    "docling.backend.html_backend, docling_core.transforms.chunker.hybrid_chunker",
    "documents_docling.py",
    "bench/peers.sh, then .venv/bin/pip install 'docling-slim[format-html,format-markdown,feat-chunking]'",
  ),
};
for (const [side, run] of Object.entries(sides))
  if (typeof run === "string" && !flags["ours-only"] && wanted(side))
    console.log(`${side} is not measured. It needs: ${run}`);

const tokenizer = await loadTokenizer(encoder);
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const frequent = (words) =>
  [...counts(words)]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 25)
    .map(([word, number]) => (number > 1 ? `${word}*${number}` : word))
    .join(" ");

function judge(page, passages, seen) {
  const visible = wordsOf(seen.text);
  // The language after a fence says what the code is; it is no text of the page.
  const plain = (text) => text.replace(/^(\s*(?:```+|~~~+))\S+$/gm, "$1");
  const said = page.map(plain).flatMap(wordsOf);
  const lost = minus(visible, said);
  const hidden = minus(said, [...visible, ...wordsOf(seen.alt ?? "")]);
  const whole = joined(page.map(plain).join("\n"));
  const each = passages.map(plain).map(joined);
  const isCut = (text) => {
    const words = joined(text);
    return words.trim().includes(" ") && whole.includes(words) && !each.some((one) => one.includes(words));
  };
  const fitting = seen.code.filter((text) => tokenizer.count(text) < TOKENS - 20);
  return {
    words: visible.length,
    kept: visible.length === 0 ? 1 : 1 - lost.length / visible.length,
    hidden: said.length === 0 ? 0 : hidden.length / said.length,
    cut: [...fitting, ...seen.short].filter(isCut),
    lost: frequent(lost),
    leaked: frequent(hidden),
  };
}

const rows = [];
const worst = [];
const samples = [];
const browser = await openBrowser();
await withFolder(async (temporary) => {
  for (const set of readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .sort()) {
    if (flags.sets && !flags.sets.split(",").includes(set)) continue;
    const server = await serve(join(folder, set));
    const seen = new Map();
    for (const path of sampleOf(set)) {
      // The browser would be elsewhere before it is asked.
      if (/<meta[^>]*http-equiv=["']?refresh/i.test(readFileSync(path, "latin1"))) continue;
      const address = `${server.address}/${relative(join(folder, set), path).split("/").map(encodeURIComponent).join("/")}`;
      const page = path.endsWith(".md")
        ? seeMarkdown(path)
        : path.endsWith(".pdf")
          ? seePdf(path)
          : await browser.see(address);
      // Pages that lead on to another, and frames, have next to nothing to see.
      if (wordsOf(page.text).length >= 20) seen.set(path, page);
    }
    server.close();
    const files = [...seen.keys()];
    if (files.length === 0) continue;
    for (const [side, run] of Object.entries(sides)) {
      if (side !== "ours" && files.some((path) => path.endsWith(".pdf"))) continue;
      if (typeof run === "string" || !wanted(side) || (flags["ours-only"] && side !== "ours")) continue;
      const ask = (name, tokens, overlap) => {
        const request = join(temporary, `${name}.json`);
        writeFileSync(request, JSON.stringify({ files, encoder, tokens, overlap, libraries }));
        return run(request);
      };
      const { passages } = ask("whole", 1e6, 0);
      const timed = ask("timed", TOKENS, OVERLAP);
      const pages = files.map((path) => ({ path, ...judge(passages[path], timed.passages[path], seen.get(path)) }));
      rows.push({
        set,
        side,
        pages: files.length,
        words: pages.reduce((sum, { words }) => sum + words, 0),
        "kept, median": median(pages.map(({ kept }) => kept)),
        "kept, worst": Math.min(...pages.map(({ kept }) => kept)),
        "hidden, median": median(pages.map(({ hidden }) => hidden)),
        "hidden, worst": Math.max(...pages.map(({ hidden }) => hidden)),
        cut: pages.reduce((sum, { cut }) => sum + cut.length, 0),
        passages: Object.values(timed.passages).flat().length,
        seconds: timed.seconds,
        MB: Math.round(timed.peak_rss_mb),
      });
      if (side !== "ours") continue;
      const by = (test) => [...pages].sort((a, b) => test(b) - test(a)).slice(0, 2);
      for (const page of new Set([
        ...by(({ kept }) => 1 - kept),
        ...by(({ hidden }) => hidden),
        ...by(({ cut }) => cut.length),
      ]))
        if (page.kept < 0.99 || page.hidden > 0.01 || page.cut.length > 0) worst.push(page);
      const all = Object.entries(timed.passages).flatMap(([path, texts]) => texts.map((text) => ({ path, text })));
      const random = createRandom(2);
      for (let i = 0; i < SAMPLES && all.length > 0; i++)
        samples.push({ set, ...all.splice(random.integer(all.length), 1)[0] });
    }
  }
});
browser.close();
if (rows.length === 0) missing(`${folder}: no set with pages (.html, .md, .pdf). bench/pages.sh FOLDER makes some.`);
for (const { path, kept, hidden, cut, lost, leaked } of worst) {
  console.log(`${relative(folder, path)}: kept ${kept.toFixed(4)}, hidden ${hidden.toFixed(4)}, cut ${cut.length}`);
  if (lost) console.log(`  lost: ${lost}`);
  if (leaked) console.log(`  hidden: ${leaked}`);
  for (const text of cut.slice(0, 3)) console.log(`  cut: ${JSON.stringify(text.slice(0, 120))}`);
}
const digits = (key) => (/kept|hidden/.test(key) ? { key, digits: 4 } : key === "seconds" ? { key, digits: 2 } : key);
console.log(formatTable(rows, Object.keys(rows[0]).map(digits)));
if (flags.samples)
  writeFileSync(
    flags.samples,
    samples.map(({ set, path, text }) => `===== ${set}: ${relative(folder, path)}\n${text}\n`).join("\n"),
  );
console.log(JSON.stringify({ bench: "documents", tokens: TOKENS, overlap: OVERLAP, rows, processor }));
process.exit(0);
