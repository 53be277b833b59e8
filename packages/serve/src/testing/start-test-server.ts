import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, type Reporter, writeJsonl } from "@rag-ft/core";
import { type OpenAiServer, startOpenAiServer } from "@rag-ft/test-utils";
import { serve } from "../index.js";

export interface TestServer {
  /** Ends in a slash. */
  address: string;
  folder: string;
  turnsFile: string;
  /** The model behind the system. */
  model: OpenAiServer;
  warnings: string[];
  close(): Promise<void>;
}

export interface TestServerOptions {
  settings?: Record<string, unknown>;
  env?: Record<string, string>;
  model?: Parameters<typeof startOpenAiServer>[0];
}

export const PASSAGES = [
  createDocument("Blue boats float on the lake.\n```sh\nboat --blue\n```", {
    source: "boats.md",
    title: "Boats",
    headings: ["Blue"],
    link: "https://docs.test/boats#blue",
  }),
  createDocument("Red cars stop at the light.", { source: "cars.md" }),
  createDocument("<img src=x onerror=alert(1)> Green trains <script>alert(1)</script> run.", {
    source: "javascript:alert(1)",
    title: "<b>Trains</b>",
    headings: ["A heading that is much longer than the screen of a phone is wide, as those of real pages may be"],
  }),
];

/** The stage itself, on a port of its own, over three passages searched by words and a model of the test server. */
export async function startTestServer({ settings = {}, env = {}, model }: TestServerOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-serve-"));
  const documentPath = join(folder, "documents.jsonl");
  await writeJsonl(documentPath, PASSAGES);
  const behind = await startOpenAiServer(model ?? { reply: ({ messages }) => `About: ${messages.at(-1)?.content}` });
  const stopping = new AbortController();
  const warnings: string[] = [];
  let found: (address: string) => void = () => {};
  const listening = new Promise<string>((resolve) => {
    found = resolve;
  });
  const reporter: Reporter = {
    info(message) {
      const address = /chat: (\S+)/.exec(message)?.[1];
      if (address) found(address);
    },
    warn: (message) => {
      warnings.push(message);
    },
    start: () => ({ update() {}, stop() {} }),
  };
  const turnsFile = join(folder, "turns.jsonl");
  const parsed = serve.settings.parse({
    document_path: documentPath,
    qa_model_name_or_path: "a-model",
    retrieval: "bm25",
    embedding_max_num_to_retrieve: 1,
    port: 0,
    turns_file: turnsFile,
    ...settings,
  });
  const context = { reporter, signal: stopping.signal, env: { OPENAI_BASE_URL: behind.url, ...env } };
  const running = serve.run(parsed, context);
  const address = await Promise.race([
    listening,
    running.then(() => {
      throw new Error("The server ended before it listened.");
    }),
  ]);
  return {
    address,
    folder,
    turnsFile,
    model: behind,
    warnings,
    async close() {
      stopping.abort();
      await running;
      await behind.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
