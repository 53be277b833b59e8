import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// .ci/run counts the tests from a JSON report.
const report = process.env.RAG_FT_TEST_REPORT;

const source = (name: string): string => fileURLToPath(new URL(`packages/${name}/src/index.ts`, import.meta.url));

// Workspace packages resolve to their TypeScript source (export condition "rag-ft-source": a name of our own, since published packages have "source", too), so tests need no build.
export default defineConfig({
  resolve: {
    conditions: ["rag-ft-source"],
    // Examples name the packages as who installed them does.
    alias: [
      { find: /^rag-ft$/, replacement: source("answer") },
      { find: /^rag-ft-(ai-sdk|langchain)$/, replacement: source("$1") },
    ],
  },
  ssr: { resolve: { conditions: ["rag-ft-source"], externalConditions: ["rag-ft-source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "scripts/*.test.ts"],
    pool: "forks",
    // Wide: on a busy machine a test that trains takes several times as long.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
  },
});
