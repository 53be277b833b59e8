// Which package may import which. Arrows run one way: a package imports only those that stand before it here, and only what its
// package.json declares. What is declared and not used is knip's to find, circles within a package biome's.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";

/** Each imports only earlier ones. */
const LIBRARIES = [
  "bf16",
  "core",
  "text",
  "metrics",
  "onnx",
  "train",
  "models",
  "fine-tune",
  "engines",
  "llm",
  "extractive",
  "documents",
  "retrieval",
  "answer",
];

/** They import libraries and meet in files: none imports another. */
const STAGES = [
  "prepare-docs",
  "gen-questions",
  "gen-answers",
  "mine-negatives",
  "merge",
  "score-passages",
  "audit-splits",
  "train-retriever",
  "train-reranker",
  "train-generator",
  "test-retriever",
  "test-e2e",
  "compare",
  "report",
  "review",
  "ask",
  "serve",
  "collect",
  "setup",
  "hand-over",
];

/** Packages of their own for other frameworks: like stages, they import libraries and not each other. */
const ADAPTERS = ["ai-sdk", "langchain"];

/** They import all of the above, and earlier ones here. */
const ABOVE = ["pipeline", "cli"];

/** They stand beside the others and import the vocabulary alone. `test-utils` is for tests. */
const BESIDE = ["page", "test-utils"];

const KNOWN = new Set([...LIBRARIES, ...STAGES, ...ADAPTERS, ...ABOVE, ...BESIDE]);

const OWN = "@rag-ft/";

/** Files that may import `test-utils`. */
const isTest = (path) => /\.test\.ts$|\/testing\//.test(path);

/** Why a package may not import another; undefined when it may. */
function forbidden(from, to) {
  if (!KNOWN.has(to)) return `${to} is no package that scripts/package-order.mjs names`;
  if (BESIDE.includes(from)) return to === "core" ? undefined : `${from} imports core alone`;
  if (BESIDE.includes(to)) return undefined;
  if (STAGES.includes(from) && STAGES.includes(to)) return "stages never import each other: they meet in files";
  if (ADAPTERS.includes(from)) return LIBRARIES.includes(to) ? undefined : "adapters import libraries alone";
  const order = [...LIBRARIES, ...STAGES, ...ABOVE];
  return order.indexOf(to) < order.indexOf(from) ? undefined : `${to} comes after ${from} (scripts/package-order.mjs)`;
}

/** What is wrong with one import of a file `packages/<name>/…`. */
function importProblem(
  path,
  specifier,
  isType,
  { dependencies, optionalDependencies, peerDependencies, devDependencies },
) {
  const from = path.split("/")[1];
  if (specifier.startsWith(".")) {
    const inside = posix.join(posix.dirname(path), specifier).startsWith(`packages/${from}/`);
    return inside ? undefined : "a relative import leaves the package: import the other package by its name";
  }
  if (isBuiltin(specifier)) return undefined;
  const imported = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (imported.startsWith(OWN)) {
    const to = imported.slice(OWN.length);
    if (to === "test-utils" && !isTest(path)) return "test-utils is for tests";
    const problem = forbidden(from, to);
    if (problem) return problem;
  }
  const declared = {
    ...dependencies,
    ...optionalDependencies,
    ...peerDependencies,
    ...(isTest(path) ? { ...devDependencies, vitest: "" } : {}),
  };
  // Types are gone when the package runs; of a package without code they are all there is (`@types/mdast`).
  if (isType && (imported in { ...devDependencies } || `@types/${imported}` in { ...devDependencies }))
    return undefined;
  return imported in declared ? undefined : `packages/${from}/package.json does not declare ${imported}`;
}

/**
 * The problems of packages, one sentence each.
 *
 * @param {Iterable<{ name: string, manifest: object, files: Iterable<{ path: string, text: string }> }>} packages Each with its
 * package.json and its source files `packages/<name>/src/…`.
 */
export function packageProblems(packages) {
  const problems = [];
  for (const { name, manifest, files } of packages) {
    if (!KNOWN.has(name))
      problems.push(`packages/${name}: has no place in the order: give it one in scripts/package-order.mjs.`);
    for (const { path, text } of files) {
      for (const match of text.matchAll(
        /^(?:import|export)[^"'`]*?\bfrom "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm,
      )) {
        const specifier = match[1] ?? match[2] ?? match[3];
        const problem = importProblem(path, specifier, /^(?:import|export) type\b/.test(match[0]), manifest);
        const line = text.slice(0, match.index + match[0].length).split("\n").length;
        if (problem) problems.push(`${path}:${line}: imports ${specifier}: ${problem}.`);
      }
    }
  }
  return problems;
}

function* packagesOf(root) {
  for (const name of readdirSync(join(root, "packages"))) {
    const folder = join("packages", name);
    // Another branch may have left a folder with nothing but its node_modules.
    if (!existsSync(join(root, folder, "package.json"))) continue;
    const read = (path) => readFileSync(join(root, path), "utf8");
    const paths = readdirSync(join(root, folder, "src"), { recursive: true }).filter((path) => path.endsWith(".ts"));
    const files = paths.map((path) => posix.join(folder, "src", path)).map((path) => ({ path, text: read(path) }));
    yield { name, manifest: JSON.parse(read(join(folder, "package.json"))), files };
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = packageProblems(packagesOf(fileURLToPath(new URL("..", import.meta.url))));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
