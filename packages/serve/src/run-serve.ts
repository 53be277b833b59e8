import { once } from "node:events";
import type { Server } from "node:http";
import { basename, join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { type OpenRagOptions, openRag, type RagSystem, runFolder, systemOptions } from "@rag-ft/answer";
import { type StageContext, type StageResult, UserError } from "@rag-ft/core";
import { isLoopback, listenOn } from "@rag-ft/page";
import { AnswerQueue } from "./answers/answer-queue.js";
import { createApp } from "./create-app.js";
import { followDatabase } from "./follow-database.js";
import { createMetrics } from "./metrics.js";
import { ownVersion } from "./own-version.js";
import type { SystemNames } from "./server-parts.js";
import type { ServeSettings } from "./settings.js";
import { openTurnLog } from "./turns/turn-log.js";
import { TurnMemory } from "./turns/turn-memory.js";

/** Answers made at once, at most. */
const MOST_ANSWERS = 16;
/** A connection on which nothing moves for so long is closed: a client that never reads holds nothing for ever. */
const IDLE_MS = 120_000;
/** What is being answered when the server is stopped has so long to end. */
const GRACE_MS = 5_000;

/** A model's name as clients see it: of a folder, the last part of its path. */
function shownName(name: string): string {
  return /^(?:\.|\/|[A-Za-z]:\\)/.test(name) || name.split("/").length !== 2 ? basename(name) : name;
}

function namesOf({ qa_model_name_or_path, embedding_model_name_or_path, retrieval }: OpenRagOptions): SystemNames {
  return {
    generator: shownName(qa_model_name_or_path),
    ...(retrieval === "bm25" ? {} : { retriever: shownName(embedding_model_name_or_path) }),
  };
}

/** @throws UserError when the server would be open to other machines without a key. */
function requireKey(host: string, env: StageContext["env"]): string | undefined {
  const key = env.RAG_FT_API_KEY;
  if (key === undefined || key === "") {
    if (isLoopback(host)) return undefined;
    throw new UserError(
      `--host ${host} can be reached from other machines, and whoever reaches it may read all passages and ask at your cost. ` +
        "Set a key in the environment variable RAG_FT_API_KEY, which clients send as Authorization: Bearer <key>; or leave --host out and use a tunnel.",
    );
  }
  if (!isLoopback(host) && key.length < 16) {
    throw new UserError("RAG_FT_API_KEY: fewer than 16 characters can be guessed. Set a longer one.");
  }
  return key;
}

async function turnsFile({ turns_file, run, document_path }: ServeSettings): Promise<string> {
  if (turns_file !== undefined) return turns_file;
  if (run !== undefined) return join(await runFolder(run), "turns.jsonl");
  return document_path === undefined ? "turns.jsonl" : `${document_path}.turns.jsonl`;
}

async function untilStopped(server: Server, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
  server.close();
  server.closeIdleConnections();
  const ended = new Promise<void>((resolve) => {
    server.once("close", resolve);
  });
  const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await ended;
  clearTimeout(timer);
}

/** Serves a system until the stage is stopped (Ctrl-C). */
export async function runServe(settings: ServeSettings, context: StageContext): Promise<StageResult> {
  const { host, port, concurrency, max_queue, max_request_seconds, max_body_kb, allowed_origins } = settings;
  const { reporter, signal, env } = context;
  const key = requireKey(host, env);
  const options = await systemOptions(settings, context);
  const names = namesOf(options);
  const log = await openTurnLog(await turnsFile(settings), names);
  const system: RagSystem = await openRag(options, context);
  try {
    const queue = new AnswerQueue({
      concurrency: concurrency ?? Math.min(system.concurrency ?? MOST_ANSWERS, MOST_ANSWERS),
      most: max_queue,
    });
    let listening = 0;
    const app = createApp({
      system: () => system,
      names,
      queue,
      turns: new TurnMemory(),
      log,
      metrics: createMetrics(queue),
      reporter,
      requestMs: max_request_seconds * 1000,
      maxBodyBytes: max_body_kb * 1024,
      mostTokens: options.max_new_tokens ?? 256,
      version: ownVersion(),
      guard: { host, port: () => listening, allowedOrigins: allowed_origins, ...(key === undefined ? {} : { key }) },
    });
    const server = createAdaptorServer({ fetch: app.fetch }) as Server;
    server.headersTimeout = 10_000;
    server.setTimeout(IDLE_MS);
    const address = await listenOn(server, host, port);
    listening = Number(new URL(address).port || 80);
    reporter.info(
      `${system.documents.length} passages, generator ${names.generator}, retriever ${names.retriever ?? "words (BM25)"}`,
    );
    reporter.info(`chat: ${address}   OpenAI: ${address}v1   MCP: ${address}mcp   - Ctrl-C ends`);
    reporter.info(`turns that users vote on, or want kept, go to ${log.path}`);
    const following = followDatabase({ path: options.document_path, system, reporter, signal });
    await untilStopped(server, signal);
    await following;
  } finally {
    await system.close();
  }
  return { outputs: [], summary: "stopped" };
}
