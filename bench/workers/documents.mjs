// Our side of bench/documents.mjs. Prints JSON.
import { readFileSync } from "node:fs";
import { cutPage, noCounts, readPages } from "../../packages/documents/dist/index.js";
import { loadTokenizer } from "../../packages/models/dist/index.js";
import { peakRssMb } from "../../packages/train/dist/index.js";
import { flags } from "../tools.mjs";

const { files, encoder, tokens, overlap } = JSON.parse(readFileSync(flags.request, "utf8"));
const tokenizer = await loadTokenizer(encoder);
const options = { chunkSize: tokens, chunkOverlap: overlap, count: (text) => tokenizer.count(text) };
const passages = Object.fromEntries(files.map((path) => [path, []]));
const turn = async () => {};
const began = performance.now();
for (const path of files) {
  const events = { warn: (message) => console.error(message), turn, counts: noCounts() };
  for await (const page of readPages([{ path, source: path }], events)) {
    passages[path].push(...(await cutPage(page, options, turn)).map(({ content }) => content));
  }
}
const seconds = (performance.now() - began) / 1000;
console.log(JSON.stringify({ seconds, peak_rss_mb: peakRssMb(), passages }));
