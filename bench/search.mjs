// From how many questions on does building the search graph pay? Exact search against hnswlib's graph at several sizes of a database: seconds to
// build, milliseconds a question, recall of the first ten, and the questions after which the graph has won back its building.
import { performance } from "node:perf_hooks";
import { createDocument, createRandom } from "../packages/core/dist/index.js";
import { VECTOR_STORES } from "../packages/retrieval/dist/index.js";
import { cores, flags, missing, processor, wholeNumber } from "./tools.mjs";

const DIMENSIONS = 384;
/** Directions that vary freely: vectors of texts lie near a surface of far fewer dimensions than they have. */
const LATENT = 32;
const QUESTIONS = wholeNumber("batch") ?? 200;
const DEPTH = 10;
const sizes = flags.quick ? [10_000] : (flags.sets ?? "10000,50000,200000").split(",").map(Number);
if ((await VECTOR_STORES.hnsw.missing()) !== undefined)
  missing("hnswlib-node is not installed: there is no graph to compare with.");

const random = createRandom(wholeNumber("seed", 0));
const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
const axes = Array.from({ length: LATENT }, () => Float32Array.from({ length: DIMENSIONS }, normal));

/** Unit vectors [count, dimensions]. */
function vectorsOf(count) {
  const vectors = new Float32Array(count * DIMENSIONS);
  for (let row = 0; row < count; row++) {
    const own = vectors.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS);
    for (const axis of axes) {
      const share = normal();
      for (let i = 0; i < DIMENSIONS; i++) own[i] += share * axis[i];
    }
    let sum = 0;
    for (let i = 0; i < DIMENSIONS; i++) sum += own[i] ** 2;
    const length = Math.sqrt(sum);
    for (let i = 0; i < DIMENSIONS; i++) own[i] /= length;
  }
  return vectors;
}

async function timed(work) {
  const before = process.cpuUsage();
  const started = performance.now();
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return { value, seconds: (performance.now() - started) / 1000, cpu: (user + system) / 1e6 };
}

const rows = [];
for (const size of sizes) {
  const documents = Array.from({ length: size }, (_, i) => createDocument(`passage ${i}`, { source: "bench" }));
  const vectors = vectorsOf(size);
  const queries = vectorsOf(QUESTIONS);
  const measured = {};
  for (const [name, row] of Object.entries({ exact: VECTOR_STORES.memory, graph: VECTOR_STORES.hnsw })) {
    const store = await row.open({ dimensions: DIMENSIONS });
    const build = await timed(() => store.add(documents, vectors));
    await store.search(queries.subarray(0, 8 * DIMENSIONS), { limit: DEPTH });
    const search = await timed(() => store.search(queries, { limit: DEPTH }));
    measured[name] = { build: build.cpu, search: search.cpu / QUESTIONS, found: search.value };
    await store.close();
  }
  const { exact, graph } = measured;
  const hits = exact.found.map(({ ids }, q) => Array.from(ids).filter((id) => graph.found[q].ids.includes(id)).length);
  const recall = hits.reduce((a, b) => a + b, 0) / (QUESTIONS * DEPTH);
  const pays = (graph.build - exact.build) / (exact.search - graph.search);
  rows.push({
    passages: size,
    build_s: graph.build,
    exact_ms: exact.search * 1000,
    graph_ms: graph.search * 1000,
    recall_at_10: recall,
    pays_from_questions: pays > 0 ? Math.round(pays) : undefined,
  });
  console.error(JSON.stringify(rows.at(-1)));
}
console.log(
  "| passages | graph built, s of CPU | exact, ms a question | graph, ms | recall@10 | pays from questions |",
);
console.log("| --- | --- | --- | --- | --- | --- |");
for (const row of rows)
  console.log(
    `| ${row.passages} | ${row.build_s.toFixed(1)} | ${row.exact_ms.toFixed(2)} | ${row.graph_ms.toFixed(2)} | ${row.recall_at_10.toFixed(3)} | ${row.pays_from_questions ?? "never"} |`,
  );
console.log(JSON.stringify({ bench: "search", processor, cores, dimensions: DIMENSIONS, questions: QUESTIONS, rows }));
