// LangChain.js in bench/documents.mjs: HTML through html-to-text and the recursive splitter, Markdown through its own. Prints JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { loadTokenizer } from "../../packages/models/dist/index.js";
import { peakRssMb } from "../../packages/train/dist/index.js";
import { flags } from "../tools.mjs";

const { files, encoder, tokens, overlap, libraries } = JSON.parse(readFileSync(flags.request, "utf8"));
const { resolve } = createRequire(join(libraries, "package.json"));
const load = (name) => import(pathToFileURL(resolve(name)).href);
const { RecursiveCharacterTextSplitter, MarkdownTextSplitter } = await load("@langchain/textsplitters");
const { convert } = await load("html-to-text");
const tokenizer = await loadTokenizer(encoder);
const settings = { chunkSize: tokens, chunkOverlap: overlap, lengthFunction: (text) => tokenizer.count(text) };
const passages = {};
const began = performance.now();
for (const path of files) {
  const text = readFileSync(path, "utf8");
  passages[path] = path.endsWith(".md")
    ? await new MarkdownTextSplitter(settings).splitText(text)
    : await new RecursiveCharacterTextSplitter(settings).splitText(convert(text));
}
const seconds = (performance.now() - began) / 1000;
console.log(JSON.stringify({ seconds, peak_rss_mb: peakRssMb(), passages }));
