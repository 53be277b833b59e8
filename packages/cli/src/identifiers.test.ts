import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDocuments, toJsonl } from "@rag-ft/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { main } from "./app.js";
import { argvOf, type Flags } from "./testing/argv-of.js";
import { ENCODER } from "./testing/flow-flags.js";
import { createMemoryIo } from "./testing/memory-io.js";

let folder = "";
const at = (...names: string[]): string => join(folder, ...names);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-identifiers-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(stage: string, flags: Flags): Promise<void> {
  const io = createMemoryIo();
  expect(await main(argvOf(stage, flags), io), io.stderr).toBe(0);
}

const NAMES = ["tag_all_sents", "load_word_list", "_CorpusView", "join_two_trees", "MAX_ITEM_COUNT", "count_parts_of"];

/** A function as Sphinx writes it: its signature in spans, its name in the prose, and its use in a block of Pygments. */
const page = (
  name: string,
): string => `<html><body><div role="main"><section id="m"><h1>Module of ${name.length} letters</h1>
<dl class="py function"><dt class="sig" id="lib.${name}"><span class="pre">lib.</span><span class="pre">${name}</span>(<em>*args</em>)
<a class="headerlink" href="#lib.${name}">¶</a></dt><dd><p>The function <code class="docutils literal"><span class="pre">${name}</span></code> works on *every* item that it is given and hands back a list of the same length.</p>
<div class="highlight"><pre><span></span><span class="kn">from</span> <span class="nn">lib</span> <span class="kn">import</span> <span class="n">${name}</span>
<span class="n">${name}</span><span class="p">(</span><span class="o">*</span><span class="n">items</span><span class="p">)</span>
</pre></div></dd></dl></section></div></body></html>`;

it("a question with an identifier finds its passage first, by words and by both", async () => {
  for (const name of NAMES) await writeFile(at(`${name}.html`), page(name));
  await run("prepare-docs", { document_path: folder, tokenizer: ENCODER, save_dir: at("out") });
  const documents = await readDocuments(at("out", "documents.jsonl"));
  expect(documents.map(({ page_content }) => page_content).join("\n")).not.toMatch(/\\[_*[\]]/);
  const rows = NAMES.map((name) => {
    const gold = documents.filter(({ page_content }) => page_content.includes(name));
    expect(gold, name).toHaveLength(1);
    return { gold_docs: gold, hard_neg_docs: [], chat_history: [], questions: [`What does ${name} give back?`] };
  });
  await writeFile(at("questions.jsonl"), toJsonl(rows));
  await run("test-retriever", {
    model_path: ENCODER,
    retrieval: "hybrid",
    document_path: at("out", "documents.jsonl"),
    eval_data_path: at("questions.jsonl"),
    output_dir: at("test"),
    ks: 1,
  });
  const { systems } = JSON.parse(await readFile(at("test", "score.json"), "utf8")) as {
    systems: { kind: string; figures: Record<string, number> }[];
  };
  const found = Object.fromEntries(
    systems.map(({ kind, figures }) => [kind, figures["test_retr/document_recall/recall1"]]),
  );
  expect(found).toMatchObject({ bm25: 1, hybrid: 1 });
});
