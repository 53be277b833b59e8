import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";

// Threads run the built package: sources are read in the main thread.
const BUILT = fileURLToPath(new URL("../../dist/index.js", import.meta.url));

const SCRIPT = `
  const { findFiles, noCounts, readFilePages, readPages } = await import(process.argv[1]);
  const { files } = await findFiles([process.argv[2]], { include: [], exclude: [] });
  const warnings = [];
  const options = { warn: (message) => warnings.push(message), turn: async () => {}, counts: noCounts() };
  const plain = ({ text, blocks, file, page, leftOut }) => JSON.stringify({ text, blocks, file, page, leftOut: leftOut.counts() });
  const pooled = [];
  for await (const page of readPages(files, options)) pooled.push(plain(page));
  const alone = [];
  for (const file of files)
    try {
      for await (const page of readFilePages(file, { ...options, warn: () => {} })) alone.push(plain(page));
    } catch {}
  console.log(JSON.stringify({ same: JSON.stringify(pooled) === JSON.stringify(alone), pages: pooled.length, counts: options.counts, warnings }));
`;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rag-ft-pool-"));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

it.skipIf(!existsSync(BUILT))("threads read the same pages in the same order, warn of the same, and end", async () => {
  for (let i = 0; i < 30; i++) {
    const section = `## Part ${i}\n\n${`Words of part ${i} and *more*. `.repeat(2000)}\n\n<!-- left -->\n\n{{#include none${i}.md}}\n`;
    await writeFile(join(root, `page-${i}.md`), `# Page ${i}\n\n${section}`);
  }
  await writeFile(
    join(root, "rows.jsonl"),
    Array.from({ length: 300 }, (_, i) => `{"source":"s${i}","text":"Row ${i}."}\n`).join(""),
  );
  await writeFile(join(root, "deep.html"), "<div>".repeat(50_000));
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", SCRIPT, BUILT, root]);
  const told = JSON.parse(stdout);
  expect(told).toMatchObject({ same: true, pages: 330, counts: { unreadable: 1 } });
  expect(told.warnings).toHaveLength(31);
  expect(told.warnings[0]).toMatch(/deep\.html: its tags are nested/);
});
