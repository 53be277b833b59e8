import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ANSWER_LABELS, describeIssues, type Prediction } from "@rag-ft/core";
import { isOwnHost } from "@rag-ft/page";
import { z } from "zod";
import type { LabelFile } from "./labels.js";
import { idOf, reviewData } from "./review-data.js";
import { reviewPage } from "./review-page.js";

/** A label with a note is far smaller; anything larger is not from this page. */
export const MOST_BODY_BYTES = 64 * 1024;

const givenSchema = z.strictObject({
  question_id: z.string().min(1),
  /** Tells two answers to the same question apart. */
  generated_answer: z.string(),
  label: z.enum(ANSWER_LABELS),
  note: z.string().max(2000).optional(),
});

export interface ReviewServerOptions {
  predictions: readonly Prediction[];
  labels: LabelFile;
  labeller: string;
  /** Path of the file of labels, to be shown. */
  file: string;
  host: string;
}

/** An answer of the server that is not what was asked for. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BODY_BYTES) throw new Refusal(413, `A label is at most ${MOST_BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Refuses what a page of another site could send: a browser lets none send JSON here, or hide where it comes from. */
function requireOwnPage({ headers }: IncomingMessage): void {
  if (!/^application\/json\b/i.test(headers["content-type"] ?? "")) throw new Refusal(415, "Labels are sent as JSON.");
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${headers.host}`) {
    throw new Refusal(403, "Labels are taken from this server's own page only.");
  }
}

function createHandler({ predictions, labels, labeller, file }: ReviewServerOptions) {
  const asked = new Map(predictions.map((row) => [JSON.stringify([idOf(row), row.generated_answer]), row]));

  async function label(request: IncomingMessage): Promise<object> {
    requireOwnPage(request);
    let value: unknown;
    const body = await readBody(request);
    try {
      value = JSON.parse(body);
    } catch {
      throw new Refusal(400, "The label is not valid JSON.");
    }
    const given = givenSchema.safeParse(value);
    if (!given.success) throw new Refusal(400, `Not a label: ${describeIssues(given.error)}.`);
    const { question_id, generated_answer, note, ...rest } = given.data;
    const prediction = asked.get(JSON.stringify([question_id, generated_answer]));
    if (!prediction) throw new Refusal(404, "No such answer in this file of predictions.");
    const row = {
      question_id,
      question: prediction.question,
      ...rest,
      ...(note?.trim() ? { note: note.trim() } : {}),
      generated_answer,
      labeller,
      time: new Date().toISOString(),
    };
    await labels.add(row);
    return row;
  }

  return async (request: IncomingMessage): Promise<{ type: string; body: string }> => {
    const { pathname } = new URL(request.url ?? "/", "http://review.invalid");
    if (pathname === "/" && request.method === "GET") {
      const body = await reviewPage(reviewData(predictions, labels, { labeller, file }));
      return { type: "text/html; charset=utf-8", body };
    }
    if (pathname === "/labels" && request.method === "POST") {
      return { type: "application/json", body: JSON.stringify(await label(request)) };
    }
    if (pathname === "/" || pathname === "/labels") throw new Refusal(405, "Not with this method.");
    throw new Refusal(404, "There is nothing here.");
  };
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...HEADERS, "content-type": type });
  response.end(body);
}

/** The server of the review page: `GET /` is the page, `POST /labels` takes one label. It sends no CORS headers. */
export function createReviewServer(options: ReviewServerOptions): Server {
  const handle = createHandler(options);
  const server = createServer(async (request, response) => {
    try {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      if (!isOwnHost(request.headers.host, options.host, port)) {
        throw new Refusal(421, "This server answers to its own address only (Host header).");
      }
      const { type, body } = await handle(request);
      answer(response, 200, type, body);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(500, `The label was not kept: ${String(error)}`);
      // What is left of a body that is too large is not read.
      if (refusal.status === 413) response.setHeader("connection", "close");
      answer(response, refusal.status, "application/json", JSON.stringify({ error: refusal.message }));
    }
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  return server;
}
