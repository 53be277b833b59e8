import { type Reporter, throwIfCancelled } from "@rag-ft/core";
import { ExactIndex } from "./exact-index.js";
import type { SearchResult, VectorIndex } from "./vector-index.js";

/** What we use of hnswlib-node. Declared here because the package is optional: the build must not need its types. */
interface HierarchicalGraph {
  initIndex(options: { maxElements: number; m: number; efConstruction: number; randomSeed: number }): void;
  addPoint(point: number[], label: number): void;
  setEf(ef: number): void;
  searchKnn(query: number[], neighbours: number): { distances: number[]; neighbors: number[] };
}
type GraphClass = new (space: "ip", dimensions: number) => HierarchicalGraph;

/** Links of a node, and nodes looked at while building: hnswlib's customary values for recall above 0.99 on text vectors. */
const LINKS = 16;
const BUILD_WIDTH = 200;
/** Nodes looked at a query, at least. */
const SEARCH_WIDTH = 256;
/** Points added between two looks at the signal and the progress bar. */
const BATCH = 500;

/** The graph's class, or undefined when hnswlib-node is not installed or was not built. */
export async function loadHnswLibrary(specifier = "hnswlib-node"): Promise<GraphClass | undefined> {
  try {
    const loaded = (await import(specifier)) as {
      HierarchicalNSW?: GraphClass;
      default?: { HierarchicalNSW?: GraphClass };
    };
    return loaded.default?.HierarchicalNSW ?? loaded.HierarchicalNSW;
  } catch {
    return undefined;
  }
}

/**
 * Approximate search in a navigable small-world graph (Malkov and Yashunin 2016) by hnswlib. What the graph finds is scored
 * again from the vectors, so that scores and order equal exact search wherever it found the same passages.
 */
export class HnswIndex implements VectorIndex {
  readonly kind = "hnsw";

  private constructor(
    private readonly graph: HierarchicalGraph,
    readonly vectors: Float32Array,
    readonly dimensions: number,
    readonly size: number,
  ) {}

  /** `vectors` is `[passages, dimensions]`, row-major. The same vectors give the same graph. */
  static async build(
    Graph: GraphClass,
    vectors: Float32Array,
    dimensions: number,
    options: { reporter: Reporter; signal: AbortSignal },
  ): Promise<HnswIndex> {
    const size = vectors.length / dimensions;
    const graph = new Graph("ip", dimensions);
    graph.initIndex({ maxElements: Math.max(size, 1), m: LINKS, efConstruction: BUILD_WIDTH, randomSeed: 100 });
    const progress = options.reporter.start("building the search graph", size);
    try {
      for (let start = 0; start < size; start += BATCH) {
        throwIfCancelled(options.signal);
        const end = Math.min(start + BATCH, size);
        for (let id = start; id < end; id++) {
          graph.addPoint(Array.from(vectors.subarray(id * dimensions, (id + 1) * dimensions)), id);
        }
        progress.update(end);
        // Lets Ctrl-C through: addPoint is synchronous.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      progress.stop();
    }
    return new HnswIndex(graph, vectors, dimensions, size);
  }

  scores(queries: Float32Array): Float64Array[] {
    return new ExactIndex(this.vectors, this.dimensions).scores(queries);
  }

  search(queries: Float32Array, k: number): SearchResult {
    const d = this.dimensions;
    const count = queries.length / d;
    const kept = Math.min(k, this.size);
    const ids = new Int32Array(count * kept);
    const scores = new Float32Array(count * kept);
    const width = Math.min(this.size, Math.max(SEARCH_WIDTH, 4 * k));
    this.graph.setEf(width);
    for (let q = 0; q < count && kept > 0; q++) {
      const query = queries.subarray(q * d, (q + 1) * d);
      const found = this.graph.searchKnn(Array.from(query), Math.min(width, this.size)).neighbors;
      const candidates = Int32Array.from(found).sort();
      const gathered = new Float32Array(candidates.length * d);
      candidates.forEach((id, place) => {
        gathered.set(this.vectors.subarray(id * d, (id + 1) * d), place * d);
      });
      const best = new ExactIndex(gathered, d).search(query, kept);
      best.ids.forEach((place, i) => {
        ids[q * kept + i] = candidates[place] as number;
      });
      scores.set(best.scores, q * kept);
    }
    return { k: kept, ids, scores };
  }
}
