import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, type Document, readDocuments, silentReporter } from "@rag-ft/core";
import { type ChatRequest, type OpenAiServer, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pageAround } from "./page-around.js";
import { prepareDocs } from "./stage.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));

let folder: string;
let server: OpenAiServer | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "contextual-"));
  const part = (i: number): string =>
    `## Part ${i}\n\n${Array.from({ length: 8 }, (_, k) => `It is set to value ${i * 10 + k} and then used by all of them.`).join(" ")}`;
  await writeFile(join(folder, "proxy.md"), `# Proxies\n\n${[1, 2, 3].map(part).join("\n\n")}\n`);
  await writeFile(join(folder, "cache.md"), "# Cache\n\nThe cache is kept for an hour.\n");
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

const askedOf = (body: ChatRequest): { page: string; passage: string } => {
  const [, page = "", passage = ""] =
    /<page[^>]*>\n([\s\S]*)\n<\/page>\n\n<passage>\n([\s\S]*)\n<\/passage>/.exec(body.messages.at(-1)?.content ?? "") ??
    [];
  return { page, passage };
};

async function run(more: Record<string, unknown> = {}) {
  const settings = prepareDocs.settings.parse({
    document_path: join(folder, "*.md"),
    tokenizer: ENCODER,
    chunk_size: "150",
    chunk_overlap_size: "0",
    save_dir: join(folder, "out"),
    contextual: "true",
    prompt_model: "gpt-context",
    ...more,
  });
  const context = {
    reporter: silentReporter,
    signal: new AbortController().signal,
    env: { OPENAI_BASE_URL: server?.url },
  };
  const plan = await prepareDocs.plan?.(settings, { ...context, planned: new Map() });
  return { plan, ...(await prepareDocs.run(settings, context)) };
}
const passages = (): Promise<Document[]> => readDocuments(join(folder, "out", "documents.jsonl"));

describe("prepare-docs --contextual", () => {
  it("a sentence stands before the text in what is searched, and not in the passage; nothing is asked twice, and a dry run counts it", async () => {
    server = await startOpenAiServer({
      reply: (body) => {
        const { passage } = askedOf(body);
        return passage.includes("Part 2") ? "" : `"How the HTTPS proxy is set,\nin ${/Part \d/.exec(passage)?.[0]}."`;
      },
    });
    const { plan, figures, summary } = await run();
    const made = await passages();
    const contexts = made.map(({ metadata }) => metadata.context_sentence);
    const parts = made.filter(({ metadata }) => metadata.source === "proxy.md");
    expect(parts.length).toBeGreaterThan(2);
    expect(plan?.requests).toMatchObject([{ purpose: "contexts", model: "gpt-context", requests: parts.length }]);
    const planned = [...(plan?.files.values() ?? [])][0] as Document[];
    expect(planned.filter(({ fmt_content }) => fmt_content.includes("\nContext: "))).toHaveLength(parts.length);
    const first = parts[0] as Document;
    expect(first.fmt_content).toMatch(
      /^Source: proxy\.md\nTitle: .+\nContext: How the HTTPS proxy is set, in Part 1\.\nContent:\n/,
    );
    expect(first.page_content).not.toContain("HTTPS");
    expect(first).toEqual(createDocument(first.page_content, first.metadata));
    // Alone on its page it needs none; where the model says nothing, the passage stays as it is.
    expect(made.find(({ metadata }) => metadata.source === "cache.md")?.fmt_content).not.toContain("Context:");
    const without = contexts.filter((sentence) => sentence === undefined).length;
    expect(figures).toMatchObject({ contexts: made.length - without, without: without - 1 });
    expect(without).toBeGreaterThan(1);
    expect(summary).toContain("1 are alone on their page and need none.");
    expect(await readFile(join(folder, "out", "skipped_contexts.jsonl"), "utf8")).toContain("proxy.md");
    // The whole page stands first, the same for all of its passages.
    const asked = server.requests.flatMap(({ body }) => (body ? [askedOf(body)] : []));
    expect(new Set(asked.map(({ page }) => page)).size).toBe(1);
    for (const { page, passage } of asked) expect(page).toContain(passage);

    const sent = server.requests.length;
    const before = await readFile(join(folder, "out", "documents.jsonl"), "utf8");
    const again = await run();
    expect(server.requests).toHaveLength(sent);
    expect(again.plan?.requests).toMatchObject([{ requests: 0, from_store: parts.length }]);
    expect(await readFile(join(folder, "out", "documents.jsonl"), "utf8")).toBe(before);
    // Without it, nothing of a context is left.
    await run({ contextual: false, prompt_model: undefined });
    expect(JSON.stringify(await passages())).not.toMatch(/context/i);
  });

  it("wants a model to write", async () => {
    await expect(run({ prompt_model: undefined })).rejects.toThrow(/contextual: a model has to write.*left out/);
    await expect(run({ prompt_model: "extractive" })).rejects.toThrow(/extractive \(rules cannot\)/);
  });
});

describe("pageAround", () => {
  const page = Array.from({ length: 10 }, (_, i) => ({
    passage: createDocument(`p${i}`, { source: "s" }),
    tokens: 10,
  }));
  it.each([
    [5, 100, "p0 p1 p2 p3 p4 p5 p6 p7 p8 p9"],
    // A third of what is left goes to the beginning, the rest to what stands around the passage.
    [6, 70, "p0 p1 […] p4 p5 p6 p7 p8 […]"],
    [0, 30, "p0 p1 p2 […]"],
    [9, 40, "p0 […] p7 p8 p9"],
    [5, 5, "[…] p5 […]"],
  ])("passage %i in %i tokens: %s", (at, limit, shown) => {
    expect(pageAround(page, at, limit).split("\n\n").join(" ")).toBe(shown);
  });
});
