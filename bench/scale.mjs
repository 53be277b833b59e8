// The built command on a large database, stage by stage: time, peak memory and what is on disk afterwards, at a part of the passages and at all of them, so
// that what grows faster than they do shows. And JSONL of 2 GB out and in. See docs/scale.md. Sizes that are done stay in result/bench/scale for as long as the code is the same.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRandom, deriveSeed, hashFile, hashText, streamJsonl, writeJsonl } from "../packages/core/dist/index.js";
import { codeHash, keptResults } from "./measure.mjs";
import { runWatched } from "./stages.mjs";
import { cores, flags, missing, processor, root, tinyModel, wholeNumber, withFolder } from "./tools.mjs";

const ENCODER = tinyModel("encoder");
/** Tokens of a passage at most. */
const TOKENS = 24;
/** Characters of text that give a passage, about. */
const CHARACTERS = 68;
/** Workers that cut the same pages again, each its shard. */
const SHARDS = 4;
/** What grows by more than this, for each passage, is named. */
const LINEAR = 1.15;
const passages = wholeNumber("number") ?? 200_000;
const sizes = flags.sets?.split(",").map(Number) ?? [Math.round(passages / 8), ...(flags.quick ? [] : [passages])];
const texts = flags.texts ?? join(root, "node_modules/.pnpm");
const parts = (flags.only ?? "stages,jsonl").split(",");

/** Files of Markdown under a folder, in the order of their hashes, each content once. */
function pages(folder) {
  const seen = new Set();
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md") && !/change|history|licen|third/i.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .filter((text) => text.length > 2000 && !seen.has(hashText(text)) && seen.add(hashText(text)))
    .sort((a, b) => (hashText(a) < hashText(b) ? -1 : 1));
}

/** Enough pages for so many passages: real ones, then copies in which every third word of four letters or more is another of them. */
function writePages(folder, wanted) {
  const real = pages(texts);
  const words = [...new Set(real.join(" ").match(/\b[a-z]{4,}\b/g))];
  let left = wanted * CHARACTERS;
  for (let copy = 0; left > 0; copy++) {
    const random = createRandom(deriveSeed(7, copy));
    const changed = new Map(
      words.map((word) => [word, random.next() < 1 / 3 ? words[random.integer(words.length)] : word]),
    );
    for (const [i, text] of real.entries()) {
      if (left <= 0) break;
      const path = join(folder, `set-${copy}`, `page-${i}.md`);
      mkdirSync(dirname(path), { recursive: true });
      const own = copy === 0 ? text : text.replace(/\b[a-z]{4,}\b/g, (word) => changed.get(word) ?? word);
      writeFileSync(path, own);
      left -= text.length;
    }
  }
}

/** Megabytes of the files of a folder. */
const megabytes = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0) / 1e6;

async function flow(folder, wanted) {
  writePages(join(folder, "pages"), wanted);
  const at = (...names) => join(folder, ...names);
  const documents = at("documents.jsonl");
  const measured = {};
  let onDisk = megabytes(folder);
  /** Several runs of a stage, one after the other: seconds add up, memory is that of the largest. */
  const stage = async (name, runs, shown = name) => {
    const took = { seconds: 0, cpu: 0, mb: 0 };
    for (const settings of [runs].flat()) {
      const { seconds, cpu, mb } = await runWatched(folder, name, settings);
      took.seconds += seconds;
      took.cpu += cpu;
      took.mb = Math.max(took.mb, mb);
    }
    const now = megabytes(folder);
    measured[shown] = { ...took, disk_mb: now - onDisk };
    onDisk = now;
  };
  const cut = {
    document_path: at("pages"),
    tokenizer: ENCODER,
    chunk_size: TOKENS,
    chunk_overlap_size: 0,
    dedupe: true,
  };
  await stage("prepare-docs", { ...cut, save_dir: folder }, "prepare-docs --dedupe");
  const shards = Array.from({ length: SHARDS }, (_, i) => ({
    ...cut,
    save_dir: at("sharded"),
    shard: `${i + 1}/${SHARDS}`,
  }));
  await stage("prepare-docs", shards, `the same, ${SHARDS} shards one after the other`);
  await stage("merge", { shards: at("sharded/shards") });
  if ((await hashFile(at("sharded/documents.jsonl"))) !== (await hashFile(documents)))
    missing("documents.jsonl of the shards is not that of one process.");
  await stage("convert", { from: documents, to: at("documents.parquet") }, "convert, to Parquet");
  rmSync(at("sharded"), { recursive: true });
  onDisk = megabytes(folder);
  // The passages are short, so that there are many.
  const domain = readFileSync(join(root, "configs/domains/default.yaml"), "utf8");
  writeFileSync(at("domain.yaml"), domain.replace(/min_words: \d+/, "min_words: 8"));
  const questions = { num_train_data: 1000, num_eval_test_data: 400 };
  await stage(
    "gen-questions",
    {
      document_path: documents,
      prompt_model: "extractive",
      config: at("domain.yaml"),
      ...questions,
      save_dir: at("q"),
    },
    "gen-questions, rules",
  );
  await stage(
    "gen-answers",
    { dataset_w_q: at("q"), prompt_model: "extractive", save_dir: at("qa") },
    "gen-answers, rules",
  );
  await stage(
    "train-retriever",
    {
      model_path: ENCODER,
      full_dataset_file_path: documents,
      train_file: at("q/train_w_q.jsonl"),
      eval_file: at("q/eval_w_q.jsonl"),
      output_dir: at("retriever"),
      per_device_train_batch_size: 32,
      max_steps: 4,
      eval_steps: 2,
      eval_passages: 5000,
      threads: "auto",
    },
    "train-retriever, 4 steps, --eval_passages 5000",
  );
  const kept = { document_path: documents, index_path: at("index") };
  const retriever = { embedding_model_name_or_path: at("retriever") };
  await stage("index", { ...kept, ...retriever }, "index");
  await stage("mine-negatives", {
    ...kept,
    dataset_w_q: at("q"),
    embedding_model: at("retriever"),
    save_dir: at("mined"),
  });
  const test = { ...kept, eval_data_path: at("q/test_w_q.jsonl"), model_path: at("retriever") };
  await stage("test-retriever", { ...test, output_dir: at("found") }, "test-retriever, dense");
  await stage(
    "test-retriever",
    { ...test, retrieval: "hybrid", output_dir: at("hybrid") },
    "test-retriever, dense, BM25 and hybrid",
  );
  const lancedb = { vector_store: "lancedb", vector_store_url: at("lancedb") };
  await stage("index", { ...kept, ...retriever, ...lancedb }, "index, from there to LanceDB");
  await stage("test-retriever", { ...test, ...lancedb, output_dir: at("lance") }, "test-retriever, dense, LanceDB");
  await stage(
    "test-e2e",
    {
      ...kept,
      ...retriever,
      qa_model_name_or_path: tinyModel("decoder"),
      eval_data_path: at("qa/test_w_qa.jsonl"),
      max_test_samples: 4,
      max_new_tokens: 8,
      output_dir: at("e2e"),
    },
    "test-e2e of 4 questions",
  );
  const lines = readFileSync(documents).reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0);
  return { passages: lines, stages: measured };
}

/** 2 GB of rows out and in: more than a string or an array of bytes of Node can be. */
async function jsonl(folder) {
  const path = join(folder, "rows.jsonl");
  const text = "Passages of a documentation, one after the other. ".repeat(20);
  const count = 2_000_000;
  const rows = function* () {
    for (let i = 0; i < count; i++) yield { id: i, page_content: text, metadata: { source: `page-${i % 1000}.md` } };
  };
  let started = performance.now();
  await writeJsonl(path, rows());
  const written = (performance.now() - started) / 1000;
  const gb = statSync(path).size / 1e9;
  started = performance.now();
  let read = 0;
  const schema = {
    safeParse: (data) => ({ success: typeof data.id === "number" && data.page_content === text, data }),
  };
  for await (const { row } of streamJsonl(path, schema, { what: "rows" })) if (row.id === read) read++;
  rmSync(path);
  const result = {
    rows: count,
    gb,
    write_s: written,
    read_s: (performance.now() - started) / 1000,
    mb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  if (read !== count) missing(`${path}: ${read} of ${count} rows were read back.`);
  console.error(
    `${gb.toFixed(2)} GB of JSONL: ${written.toFixed(1)} s out, ${result.read_s.toFixed(1)} s in, ${result.mb} MB`,
  );
  return result;
}

const results = { bench: "scale", processor, cores, node: process.version };
if (parts.includes("jsonl")) results.jsonl = await withFolder(jsonl);
if (parts.includes("stages")) {
  const { once } = keptResults("scale", { code: codeHash(), processor, texts });
  results.sizes = [];
  for (const size of sizes) results.sizes.push(await once(`${size}`, () => withFolder((folder) => flow(folder, size))));
  const [small, large] = [results.sizes[0], results.sizes.at(-1)];
  const heads = results.sizes.map(({ passages: count }) => `${count} passages: clock, CPU, memory, disk`);
  const times = large.passages / small.passages;
  console.log(`| stage | ${heads.join(" | ")} | CPU of a passage, last by first |`);
  const beyond = [];
  for (const name of Object.keys(small.stages)) {
    const cells = results.sizes.map(({ stages }) => {
      const { seconds, cpu, mb, disk_mb } = stages[name];
      return `${seconds.toFixed(0)} s, ${cpu.toFixed(0)} s, ${mb} MB, ${disk_mb.toFixed(0)} MB`;
    });
    const growth = large.stages[name].cpu / small.stages[name].cpu / times;
    if (growth > LINEAR) beyond.push(`${name} ${growth.toFixed(2)}`);
    console.log(`| ${name} | ${cells.join(" | ")} | ${growth.toFixed(2)} |`);
  }
  console.log(`${times.toFixed(1)} times the passages; beyond linear: ${beyond.join(", ") || "none"}`);
}
console.log(JSON.stringify(results));
