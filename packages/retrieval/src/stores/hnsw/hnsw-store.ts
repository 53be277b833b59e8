import { type Document, throwIfCancelled, UserError } from "@rag-ft/core";
import { pageOf, type Ranked } from "../../best-passages.js";
import { depthOf, type Page } from "../../page.js";
import { MemoryStore } from "../memory/memory-store.js";
import type { StoreCallOptions, VectorStore, VectorStoreRow } from "../vector-store.js";

/** What we use of hnswlib-node. Declared here because the package is optional: the build must not need its types. */
interface HierarchicalGraph {
  initIndex(options: { maxElements: number; m: number; efConstruction: number; randomSeed: number }): void;
  resizeIndex(maxElements: number): void;
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
 * again from the vectors, so that scores and order equal exact search wherever it found the same passages. Within some filter the search is exact,
 * over all passages that fit: the graph's links lead past those that do not.
 */
export class HnswStore implements VectorStore {
  readonly kind = "hnsw";
  private readonly exact: MemoryStore;
  private graph: HierarchicalGraph | undefined;

  constructor(
    private readonly Graph: GraphClass,
    readonly dimensions: number,
  ) {
    this.exact = new MemoryStore(dimensions);
  }

  get size(): number {
    return this.exact.size;
  }

  /** The same vectors give the same graph. */
  async add(
    documents: readonly Document[],
    vectors: Float32Array,
    { reporter, signal }: StoreCallOptions = {},
  ): Promise<void> {
    const d = this.dimensions;
    const from = this.size;
    await this.exact.add(documents, vectors);
    const graph = this.graphFor(this.size);
    const progress = reporter?.start("building the search graph", documents.length);
    try {
      for (let start = 0; start < documents.length; start += BATCH) {
        if (signal) throwIfCancelled(signal);
        const end = Math.min(start + BATCH, documents.length);
        for (let i = start; i < end; i++) graph.addPoint(Array.from(vectors.subarray(i * d, (i + 1) * d)), from + i);
        progress?.update(end);
        // Lets Ctrl-C through: addPoint is synchronous.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      progress?.stop();
    }
  }

  async search(queries: Float32Array, page: Page): Promise<Ranked[]> {
    if (page.filter !== undefined) return this.exact.search(queries, page);
    const { graph, size, dimensions: d } = this;
    const depth = Math.min(depthOf(page), size);
    const width = Math.min(size, Math.max(SEARCH_WIDTH, 4 * depth));
    graph?.setEf(width);
    return Array.from({ length: this.exact.countOf(queries) }, (_, q) => {
      const query = queries.subarray(q * d, (q + 1) * d);
      const found = depth > 0 ? (graph?.searchKnn(Array.from(query), width).neighbors ?? []) : [];
      return pageOf(this.exact.rank(query, depth, Int32Array.from(found).sort())[0] as Ranked, page);
    });
  }

  documents(ids: ArrayLike<number>): Promise<Document[]> {
    return this.exact.documents(ids);
  }

  vectors(ids: ArrayLike<number>): Promise<Float32Array> {
    return this.exact.vectors(ids);
  }

  scores(queries: Float32Array): Promise<Float64Array[]> {
    return this.exact.scores(queries);
  }

  async close(): Promise<void> {
    this.graph = undefined;
  }

  private graphFor(size: number): HierarchicalGraph {
    if (this.graph) this.graph.resizeIndex(size);
    else {
      this.graph = new this.Graph("ip", this.dimensions);
      this.graph.initIndex({ maxElements: Math.max(size, 1), m: LINKS, efConstruction: BUILD_WIDTH, randomSeed: 100 });
    }
    return this.graph;
  }
}

/** `load` gives the optional library. */
export function hnswRow(load: () => Promise<GraphClass | undefined> = loadHnswLibrary): VectorStoreRow {
  return {
    missing: async () => ((await load()) === undefined ? "hnswlib-node is not installed, or was not built" : undefined),
    async open({ dimensions }) {
      const Graph = await load();
      if (Graph === undefined)
        throw new UserError(
          "The store hnsw needs hnswlib-node, which is not installed or was not built. Install it, or build it (npm rebuild hnswlib-node, pnpm approve-builds).",
        );
      return new HnswStore(Graph, dimensions);
    },
  };
}
