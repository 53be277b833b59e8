// pnpm bench <name> [flags]: runs bench/<name>.mjs. The packages must be built (pnpm build).
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [name, ...rest] = process.argv.slice(2);
const file = fileURLToPath(new URL(`./${name}.mjs`, import.meta.url));
const NAMES = [
  "retriever",
  "generator",
  "embed",
  "bf16",
  "memory",
  "profile",
  "parity",
  "interop",
  "coverage",
  "metrics",
  "bm25",
  "hybrid",
  "answer",
  "answers",
  "faults",
  "near-duplicates",
  "negatives",
  "shuffled",
  "audit",
  "documents",
  "scale",
  "search",
  "stores",
  "busy",
  "base-dtype",
  "serve",
  "languages",
  "loop",
  "rerank",
  "rerank-folds",
  "distil",
  "time-to-quality",
  "engines",
];
if (!NAMES.includes(name) || !existsSync(file)) {
  console.error(`usage: pnpm bench ${NAMES.join("|")} [flags]; see bench/README.md`);
  process.exit(2);
}
process.argv.splice(2, process.argv.length - 2, ...rest);
await import(file);
