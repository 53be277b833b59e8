// Which package may import which. Arrows run one way: a package imports only those that stand before it here. Unused and undeclared
// dependencies are knip's to find, circles within a package biome's.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";

/** Each imports only earlier ones. */
const LIBRARIES = [
  "core",
  "text",
  "metrics",
  "near-duplicates",
  "onnx",
  "train",
  "models",
  "fine-tune",
  "llm",
  "extractive",
  "documents",
  "retrieval",
  "negatives",
  "answer",
];

/** They import libraries and meet in files: none imports another. */
const STAGES = [
  "prepare-docs",
  "gen-questions",
  "gen-answers",
  "mine-negatives",
  "audit-splits",
  "train-retriever",
  "train-reranker",
  "train-generator",
  "test-retriever",
  "test-e2e",
  "compare",
  "report",
  "review",
  "serve",
  "hand-over",
];

/** They import all of the above, and earlier ones here. */
const ABOVE = ["pipeline", "cli"];

/** They stand beside the others and import the vocabulary alone. `test-utils` is for tests. */
const BESIDE = ["page", "test-utils"];

const KNOWN = new Set([...LIBRARIES, ...STAGES, ...ABOVE, ...BESIDE]);

const OWN = "@rag-ft/";

/** Files that may import `test-utils`. */
const isTest = (path) => /\.test\.ts$|\/testing\//.test(path);

/** Why a package may not import another; undefined when it may. */
function forbidden(from, to) {
  if (!KNOWN.has(to)) return `${to} is no package that scripts/package-order.mjs names`;
  if (BESIDE.includes(from)) return to === "core" ? undefined : `${from} imports core alone`;
  if (BESIDE.includes(to)) return undefined;
  if (STAGES.includes(from) && STAGES.includes(to)) return "stages never import each other: they meet in files";
  const order = [...LIBRARIES, ...STAGES, ...ABOVE];
  return order.indexOf(to) < order.indexOf(from) ? undefined : `${to} comes after ${from} (scripts/package-order.mjs)`;
}

/** What is wrong with one import of a file `packages/<name>/…`. */
function importProblem(path, specifier) {
  const from = path.split("/")[1];
  if (specifier.startsWith(".")) {
    const inside = posix.join(posix.dirname(path), specifier).startsWith(`packages/${from}/`);
    return inside ? undefined : "a relative import leaves the package: import the other package by its name";
  }
  if (!specifier.startsWith(OWN)) return undefined;
  const [to] = specifier.slice(OWN.length).split("/");
  if (to === "test-utils" && !isTest(path)) return "test-utils is for tests";
  return to === from ? "a package does not import itself by its name" : forbidden(from, to);
}

/**
 * The problems of source files, one sentence each.
 *
 * @param {Iterable<{ path: string, text: string }>} files Paths `packages/<name>/src/…`.
 */
export function packageProblems(files) {
  const problems = [];
  const unknown = new Set();
  for (const { path, text } of files) {
    const [, name] = path.split("/");
    if (!KNOWN.has(name)) unknown.add(name);
    for (const match of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)) {
      const problem = importProblem(path, match[1]);
      if (!problem) continue;
      const line = text.slice(0, match.index).split("\n").length;
      problems.push(`${path}:${line}: imports ${match[1]}: ${problem}.`);
    }
  }
  for (const name of unknown)
    problems.push(`packages/${name}: has no place in the order: give it one in scripts/package-order.mjs.`);
  return problems;
}

function* sourceFiles(root) {
  for (const name of readdirSync(join(root, "packages"))) {
    const folder = join("packages", name, "src");
    let entries = [];
    try {
      entries = readdirSync(join(root, folder), { recursive: true });
    } catch (error) {
      // What another branch left: a folder with nothing but its node_modules.
      if (error.code !== "ENOENT") throw error;
    }
    for (const entry of entries) {
      if (!entry.endsWith(".ts")) continue;
      const path = posix.join(folder, entry);
      yield { path, text: readFileSync(join(root, path), "utf8") };
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = packageProblems(sourceFiles(fileURLToPath(new URL("..", import.meta.url))));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
