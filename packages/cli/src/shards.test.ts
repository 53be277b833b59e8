import { spawn, spawnSync } from "node:child_process";
import {
  appendFile,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  createDocument,
  DataError,
  inShardFolder,
  readDocuments,
  readQuestions,
  type StageContext,
  silentReporter,
  UserError,
  writeJsonl,
} from "@rag-ft/core";
import { convert } from "@rag-ft/hand-over";
import { merge } from "@rag-ft/merge";
import { mineNegatives } from "@rag-ft/mine-negatives";
import { prepareDocs } from "@rag-ft/prepare-docs";
import { index } from "@rag-ft/serve";
import { parquetWriteFile } from "hyparquet-writer";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ENCODER } from "./testing/flow-flags.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rag-ft-shards-"));
  await putCorpus();
});
afterEach(() => rm(root, { recursive: true }));

const at = (...names: string[]): string => join(root, ...names);
const context = (): StageContext => ({ reporter: silentReporter, signal: new AbortController().signal, env: {} });

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(at("docs", path)), { recursive: true });
  await writeFile(at("docs", path), text);
}

const sentences = (topic: string, number: number): string =>
  Array.from({ length: number }, (_, i) => `The ${topic} number ${i} is set before the ${topic} starts.`).join(" ");
const rows = (...all: object[]): string => all.map((row) => `${JSON.stringify(row)}\n`).join("");

/** A corpus in which all that one file decides of another is there. */
async function putCorpus(): Promise<void> {
  await put("a.md", `# Pumps\n\n${sentences("pump", 30)}\n\n## Care\n\n${sentences("oil", 9)}\n`);
  await put("copy-of-a.md", `# Pumps\n\n${sentences("pump", 30)}\n\n## Care\n\n${sentences("oil", 9)}\n`);
  await put("near-a.md", `# Pumps\n\n${sentences("pump", 29)}\n`);
  await put("empty.md", "\n");
  await put("guide/index.md", `# Guide\n\n${sentences("guide", 4)}\n\n<!-- left out -->\n`);
  await put("guide/README.md", `# Guide\n\n${sentences("guide", 4)}\n\nMore of it.\n`);
  await put("guide/part.md", "# Part\n\n{{#include ../parts/one.txt}}\n");
  await put("parts/one.txt", "Taken in from elsewhere.");
  await put("page.html", `<main><h1>Page</h1><p>${sentences("page", 3)}</p></main>`);
  await put("broken.pdf", "no PDF");
  await put("node_modules/.pnpm/x@1.0.0/node_modules/x/README.md", "# X 1\n\nThe old one.\n");
  await put("node_modules/.pnpm/x@2.0.0/node_modules/x/README.md", "# X 2\n\nThe new one.\n");
  // Sources go over files; what stands twice in a source does, too.
  await put(
    "rows-1.jsonl",
    rows(
      { source: "s", text: sentences("valve", 3), 7: "x", tags: ["ü", { deep: null }] },
      { source: "t", text: "Twice." },
      { source: "s", text: " " },
      { source: "t", text: "Twice." },
    ),
  );
  await put("rows-2.jsonl", rows({ source: "s", text: sentences("valve", 3) }, { source: "s", text: "Another." }));
}

const settings = (more: object = {}) => ({
  document_path: [at("docs"), at("docs", "node_modules/.pnpm/*/node_modules/**/*.md")],
  tokenizer: ENCODER,
  chunk_size: 60,
  chunk_overlap_size: 10,
  min_words: 2,
  save_dir: at("out"),
  ...more,
});

const run = (more?: object) => prepareDocs.run(prepareDocs.settings.parse(settings(more)), context());
const mergeAll = (more: object = {}) =>
  merge.run(merge.settings.parse({ shards: at("out", "shards"), ...more }), context());
const read = (...names: string[]): Promise<string> => readFile(at(...names), "utf8");

async function runAll(of: number, more: object = {}): Promise<void> {
  for (let shard = of; shard >= 1; shard--) await run({ ...more, shard: `${shard}/${of}` });
}

async function problem(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error instanceof DataError || error instanceof UserError, String(error)).toBe(true);
  return (error as Error).message.replaceAll(root, "");
}

describe("shards of prepare-docs", () => {
  it.each([
    [1, {}],
    [2, { source_url: "https://e.org/{page}" }],
    [5, {}],
    [5, { dedupe: true }],
    [40, { dedupe: true, source_url: "https://e.org/{page}" }],
  ])("%i of them, merged, are the database of a run of all files, byte for byte (%o)", async (of, more) => {
    const { figures = {} } = await run({ ...more, save_dir: at("whole") });
    expect(figures.skipped).toBeGreaterThan(4);
    await runAll(of, more);
    // Nothing but the shards is there: no record and no lock that workers would meet at.
    expect(await readdir(at("out"))).toEqual(["shards"]);
    expect((await readdir(at("out", "shards"))).length).toBe(2 * of);
    const merged = await mergeAll();
    expect(await read("out", "documents.jsonl")).toBe(await read("whole", "documents.jsonl"));
    if ("dedupe" in more) {
      expect(await read("whole", "documents.dropped.jsonl")).not.toBe("");
      expect(await read("out", "documents.dropped.jsonl")).toBe(await read("whole", "documents.dropped.jsonl"));
    }
    const { near_duplicates: _, ...same } = figures;
    expect(merged.figures).toEqual(same);
  });

  it.each([{}, { dedupe: true }])("as Parquet, from Parquet, too (%o)", async (more) => {
    const texts = [
      { text: sentences("hose", 9), source: "p", title: null, metadata: '{"lang":"en"}' },
      { text: "# Markdown\n\nIn a column.", source: "q", title: "Q", metadata: null },
      { text: sentences("hose", 9), source: "p", title: null, metadata: null },
    ];
    const names = ["text", "source", "title", "metadata"] as const;
    parquetWriteFile({
      filename: at("docs", "texts.parquet"),
      columnData: names.map((name) => ({ name, type: "STRING" as const, data: texts.map((row) => row[name]) })),
    });
    const save_name = "documents.parquet";
    await run({ ...more, save_dir: at("whole") });
    await run({ ...more, save_dir: at("whole"), save_name });
    await runAll(3, { ...more, save_name });
    expect((await mergeAll()).outputs[0]).toBe(at("out", save_name));
    expect((await readFile(at("out", save_name))).equals(await readFile(at("whole", save_name)))).toBe(true);
    const documents = await readDocuments(at("out", save_name));
    expect(documents).toEqual(await readDocuments(at("whole", "documents.jsonl")));
    const { metadata } = documents.find(({ metadata: { source } }) => source === "p") ?? {};
    expect(metadata).toMatchObject({ lang: "en", seq_num: 1 });
    expect(documents.find(({ metadata: { source } }) => source === "q")?.metadata.title).toBe("Q");
  });

  it("a shard that is done is not done again, one whose files changed is, from the first of them on", async () => {
    await runAll(2);
    const before = await read("out", "shards", "documents-00001-of-00002.json");
    expect((await run({ shard: "1/2" })).summary).toContain("done already");
    expect(await read("out", "shards", "documents-00001-of-00002.json")).toBe(before);
    const { length } = await read("docs", "page.html");
    await put("page.html", `<p>${"y".repeat(length - 7)}</p>`);
    const [first, second] = [await run({ shard: "1/2" }), await run({ shard: "2/2" })];
    const again = [first, second].map(({ summary = "" }) => summary.includes("done already"));
    expect(again.sort()).toEqual([false, true]);
    expect(`${first.summary} ${second.summary}`).toMatch(/\d of these files were cut by an earlier worker/);
    await run({ save_dir: at("whole") });
    await mergeAll();
    expect(await read("out", "documents.jsonl")).toBe(await read("whole", "documents.jsonl"));
    // What a page takes in counts, too.
    await put("parts/one.txt", "Taken in from elsewhere!");
    const later = await Promise.all([run({ shard: "1/2" }), run({ shard: "2/2" })]);
    expect(later.some(({ summary = "" }) => !summary.includes("done already"))).toBe(true);
  });

  it("names shards that are missing, cut short, of other settings or of other files, and merges none of them", async () => {
    await runAll(4);
    const shard = (number: number, end: string): string =>
      at("out", "shards", `documents-0000${number}-of-00004.${end}`);
    await rm(shard(2, "json"));
    await rm(shard(3, "json"));
    expect(await problem(mergeAll())).toBe(
      "/out/shards: of the 4 shards of documents, shards 2 and 3 are not done; run prepare-docs with --shard 2/4 and --shard 3/4 " +
        "(what a killed worker left is gone on with), or copy their .jsonl and .json here.",
    );
    await run({ shard: "2/4" });
    await run({ shard: "3/4" });
    await truncate(shard(1, "jsonl"), 100);
    expect(await problem(mergeAll())).toMatch(
      /^\/out\/shards\/documents-00001-of-00004\.jsonl: has 100 bytes where its record says \d+; copy it again, or run prepare-docs with --shard 1\/4 again\.$/,
    );
    // The worker does not take it for done either.
    expect((await run({ shard: "1/4" })).summary).not.toContain("done already");
    const text = await readFile(shard(1, "jsonl"), "utf8");
    await writeFile(shard(1, "jsonl"), text.replace("pump", "pomp"));
    expect(await problem(mergeAll())).toMatch(/holds other bytes than its record says; copy it again, or run/);
    await run({ shard: "1/4", chunk_size: 50 });
    expect(await problem(mergeAll())).toBe(
      "/out/shards: shard 1 of documents was made of other settings than the others (of shard 1, chunk_size is 50, not 60; " +
        "chunk_characters is 400, not 480); run prepare-docs with --shard 1/4 again, with the settings of the others.",
    );
    await put("new.md", "# New\n");
    await run({ shard: "1/4" });
    expect(await problem(mergeAll())).toMatch(/shard 1 of documents was made of other inputs than the others/);
    expect(await readdir(at("out"))).toEqual(["shards"]);
    await runAll(4);
    await runAll(2);
    expect(await problem(mergeAll())).toMatch(
      /documents is there in 2 and 4 shards; remove the files of those that are/,
    );
    for (let i = 1; i <= 4; i++) for (const end of ["json", "jsonl"]) await rm(shard(i, end));
    // What a killed worker of another number of shards has left is not in the way.
    await mkdir(at("out", "shards", ".documents-00001-of-00004"));
    await mergeAll();
    await rm(at("out", "shards"), { recursive: true });
    expect(await problem(mergeAll())).toMatch(/cannot be read as a folder/);
    await mkdir(at("out", "shards", ".documents-00001-of-00002"), { recursive: true });
    expect(await problem(mergeAll())).toMatch(/of the 2 shards of documents, shards 1 and 2 are not done/);
    await rm(at("out", "shards"), { recursive: true });
    await mkdir(at("out", "shards"));
    expect(await problem(mergeAll())).toMatch(/no shard is there/);
  });

  it("are not merged where no file gave a passage: prepare-docs alone refuses that, too", async () => {
    await put("none/empty.md", "\n");
    await run({ shard: "1/1", document_path: [at("docs", "none")] });
    await writeFile(at("out", "documents.jsonl"), "of an earlier run\n");
    expect(await problem(mergeAll())).toMatch(/^No passage was made of 1 files/);
    expect(await readFile(at("out", "documents.jsonl"), "utf8")).toBe("of an earlier run\n");
  });

  it("does not take a record that was copied under another name, or without its data, for a shard", async () => {
    await runAll(2);
    const shard = (number: number, end: string): string =>
      at("out", "shards", `documents-0000${number}-of-00002.${end}`);
    await copyFile(shard(1, "json"), shard(2, "json"));
    expect(await problem(mergeAll())).toMatch(/shard 2 is not done/);
    await rm(shard(1, "jsonl"));
    expect(await problem(mergeAll())).toMatch(/00001-of-00002\.jsonl: is not there; copy it again/);
  });

  it("has a worker wait for another one on the same shard, not for those on others", async () => {
    const mine = { folder: at("out", "shards"), name: "documents", shard: { index: 1, of: 2 } };
    await inShardFolder(mine, context(), async () => {
      expect(await problem(run({ shard: "1/2" }))).toMatch(/\.documents-00001-of-00002: in use by process \d+/);
      await run({ shard: "2/2" });
    });
    await run({ shard: "1/2" });
    await mergeAll();
  });

  it("refuses what cannot be done in parts", async () => {
    expect(await problem(run({ shard: "1/2", contextual: true }))).toMatch(/^shard: contextual is/);
    expect(await problem(run({ shard: "1/2", save_name: "a/b" }))).toMatch(
      /^shard: save_name is a\/b, expected a name/,
    );
    expect(await problem(run({ shard: "1/2", document_path: "https://e.org/sitemap.xml" }))).toMatch(/is a site/);
    for (const shard of ["0/2", "3/2", "1", "1/100000", "a/b"])
      expect(prepareDocs.settings.safeParse(settings({ shard })).error?.issues[0]?.message).toMatch(/such as 3\/16/);
  });
});

describe("shards of mine-negatives and index", () => {
  const THINGS = "proxy cache retry timeout header cookie stream buffer socket cluster worker signal".split(" ");
  const documents = THINGS.map((thing, i) =>
    createDocument(`The ${thing} option number ${i} sets how the ${thing} of a request is used by the ${thing} pool.`, {
      source: `docs/${thing}`,
    }),
  );
  const mine = (more: object) =>
    mineNegatives.run(
      mineNegatives.settings.parse({
        ...{ document_path: at("documents.jsonl"), dataset_w_q: at("questions"), embedding_model: ENCODER },
        ...{ negative_margin: 1, save_dir: at("out"), ...more },
      }),
      context(),
    );
  beforeEach(async () => {
    await writeJsonl(at("documents.jsonl"), documents);
    const rows = documents.map((gold, i) => ({
      ...{ gold_docs: [gold], hard_neg_docs: [], chat_history: [], by: { hand: null } },
      questions: [`What does the ${THINGS[i]} option do?`, "Which pool?"].slice(0, 1 + (i % 2)),
    }));
    await writeJsonl(at("questions", "train_w_q.jsonl"), rows);
    await writeJsonl(at("questions", "test_w_q.jsonl"), rows.slice(0, 5));
  });

  it.each([1, 2, 5, 20])("%i workers mine what one does, and find what is done", async (of) => {
    const index_path = at("index");
    const { figures = {} } = await mine({ save_dir: at("whole"), index_path });
    const before = await readdir(index_path, { recursive: true });
    for (let shard = of; shard >= 1; shard--) await mine({ shard: `${shard}/${of}`, index_path });
    // The passages were embedded once.
    expect(await readdir(index_path, { recursive: true })).toEqual(before);
    expect((await mine({ shard: `1/${of}`, index_path })).summary).toContain("is done already: train_w_q, test_w_q");
    const { figures: merged } = await mergeAll();
    for (const file of ["train_w_q.jsonl", "test_w_q.jsonl"])
      expect(await read("out", file)).toBe(await read("whole", file));
    expect(figures.negatives).toBeGreaterThan(20);
    expect(Object.keys(merged ?? {})).toEqual(Object.keys(figures));
  });

  it("mine for questions in Parquet, and write them so", async () => {
    await convert.run({ from: at("questions", "train_w_q.jsonl"), to: at("columns", "train_w_q.parquet") }, context());
    await convert.run({ from: at("documents.jsonl"), to: at("documents.parquet") }, context());
    const inside = convert.run({ from: at("columns"), to: at("columns", "sub", "all.parquet") }, context());
    await expect(inside).rejects.toThrow(/lies in .*columns, all of which is read/);
    await mine({ save_dir: at("whole") });
    const given = { dataset_w_q: at("columns"), document_path: at("documents.parquet") };
    await mine({ ...given, shard: "1/2" });
    await mine({ ...given, shard: "2/2" });
    expect((await mergeAll()).outputs).toEqual([at("out", "train_w_q.parquet")]);
    const mined = await readQuestions(at("out", "train_w_q.parquet"));
    expect(mined).toEqual(await readQuestions(at("whole", "train_w_q.jsonl")));
  });

  it("are not merged when the database or a setting differs, and relabelling is refused", async () => {
    await mine({ shard: "1/3" });
    await mine({ shard: "2/3" });
    await mine({ shard: "3/3", seed: 7 });
    expect(await problem(mergeAll())).toMatch(/shard 3 of test_w_q was made of other settings .*seed is 7, not 0/);
    await appendFile(at("documents.jsonl"), "\n");
    await mine({ shard: "3/3" });
    expect(await problem(mergeAll())).toMatch(/shard 3 of train_w_q was made of other inputs .*database is/);
    expect(await problem(mine({ shard: "1/3", relabel_with: "local:x" }))).toMatch(/^shard: relabel_with/);
  });

  it("embed a database into one index, from folders of their own too", async () => {
    const embed = (more: object) =>
      index.run(
        index.settings.parse({ document_path: at("documents.jsonl"), embedding_model_name_or_path: ENCODER, ...more }),
        context(),
      );
    const files = async (folder: string): Promise<string[]> =>
      (await readdir(at(folder), { recursive: true })).filter((name) => name.endsWith(".part"));
    const first = await embed({ index_path: at("one"), shard: "1/3" });
    expect(first.figures).toEqual({ passages: 4 });
    await embed({ index_path: at("two"), shard: "2/3" });
    await embed({ index_path: at("two"), shard: "3/3" });
    await cp(at("two"), at("one"), { recursive: true });
    const before = await files("one");
    expect(before).toHaveLength(3);
    await embed({ index_path: at("one") });
    // Nothing was left to embed.
    expect(await files("one")).toEqual(before);
    // A part that was copied by half is made anew.
    await truncate(at("one", before[0] as string), 50);
    await embed({ index_path: at("one") });
    expect((await files("one")).length).toBe(3);
    expect(await problem(embed({ shard: "1/3", vector_store: "lancedb" }))).toMatch(/embedded into --index_path, not/);
  });
});

describe("workers that are really killed", () => {
  const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
  const MAIN = join(ROOT, "packages/cli/dist/main.js");
  const KILL = fileURLToPath(new URL("testing/kill-at.mjs", import.meta.url));
  const FILES = 120;
  const data = (): string => at("out", "shards", "documents-00001-of-00002.jsonl");

  beforeAll(() => {
    // Nothing to do, within a moment, when the build is up to date.
    const build = spawnSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-b", "packages/cli"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    expect(build.status, build.stdout + build.stderr).toBe(0);
  }, 180_000);
  beforeEach(async () => {
    for (let i = 0; i < FILES; i++) await put(`many/${i}.md`, `# Page ${i}\n\n${sentences(`thing ${i}`, 20)}\n`);
  });

  interface Worker {
    ended: Promise<{ signal: NodeJS.Signals | null; code: number | null; stdout: string; stderr: string }>;
    kill: () => void;
  }

  function work(shard: string, env: Record<string, string> = {}): Worker {
    const { document_path, ...others } = settings({ shard, document_path: at("docs") });
    const flags = Object.entries({ ...others, document_path }).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const watched = "KILL_AT" in env ? ["--import", KILL] : [];
    const child = spawn(process.execPath, [...watched, MAIN, "prepare-docs", ...flags], {
      env: { ...process.env, KILL_UNDER: at("out"), ...env },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    const ended = new Promise<Awaited<Worker["ended"]>>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
    return { ended, kill: () => void child.kill("SIGKILL") };
  }

  it("leave no shard that is taken for done, and are gone on with", { timeout: 120_000 }, async () => {
    const first = work("1/2");
    const log = at("out", "shards", ".documents-00001-of-00002", "pages.jsonl");
    const size = (): Promise<number> =>
      stat(log).then(
        (info) => info.size,
        () => 0,
      );
    while ((await size()) < 20_000) await delay(2);
    first.kill();
    expect((await first.ended).signal).toBe("SIGKILL");
    await work("2/2").ended;
    expect(await problem(mergeAll())).toMatch(/shard 1 is not done; run prepare-docs with --shard 1\/2/);
    // As a kill within a write leaves it.
    await appendFile(log, '{"file":0,"source":"x');
    const second = await work("1/2").ended;
    expect(second.code, second.stderr).toBe(0);
    const reused = Number(/(\d+) of these files were cut by an earlier worker/.exec(second.stdout)?.[1]);
    expect(reused).toBeGreaterThan(5);
    expect(reused).toBeLessThan(FILES / 2);
    await run({ document_path: at("docs"), save_dir: at("whole") });
    await mergeAll();
    expect(await read("out", "documents.jsonl")).toBe(await read("whole", "documents.jsonl"));
  });

  it("at any change of the disk near the end", { timeout: 120_000 }, async () => {
    await work("2/2").ended;
    await run({ document_path: at("docs"), save_dir: at("whole") });
    for (const moment of ["^rename .*pages\\.jsonl", "^write .*00001-of-00002\\.json", "^rename .*00002\\.json$"]) {
      await rm(data(), { force: true });
      await rm(data().replace(/l$/, ""), { force: true });
      const { signal } = await work("1/2", { KILL_AT: moment }).ended;
      expect(signal, moment).toBe("SIGKILL");
      expect(await problem(mergeAll()), moment).toMatch(/shard 1 is not done/);
      const again = await work("1/2").ended;
      expect(again.stdout + again.stderr, moment).toMatch(/of these files were cut by an earlier worker/);
      await mergeAll();
      expect(await read("out", "documents.jsonl")).toBe(await read("whole", "documents.jsonl"));
      expect((await readdir(at("out", "shards"))).length).toBe(4);
    }
  });
});
