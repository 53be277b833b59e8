import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { describeIssues, givenLabelsSchema, LABEL_KINDS, type LabelKind } from "@rag-ft/core";
import { isOwnHost } from "@rag-ft/page";
import { z } from "zod";
import { agreementLines } from "./agreement.js";
import type { LabelFile } from "./labels.js";
import { reviewData } from "./review-data.js";
import { reviewPage } from "./review-page.js";
import { answerKey, type ReviewedAnswer } from "./reviewed-answers.js";

/** A label with a note is far smaller; anything larger is not from this page. */
export const MOST_BODY_BYTES = 64 * 1024;

const nameSchema = z.string().trim().min(1).max(100);

/** All that a reviewer says of an answer by now. */
const givenSchema = z
  .strictObject({
    question_id: z.string().min(1),
    /** Tells two answers to the same question apart. */
    generated_answer: z.string(),
    ...givenLabelsSchema.shape,
    note: z.string().max(2000).optional(),
    labeller: nameSchema.optional(),
  })
  .refine((given) => LABEL_KINDS.some((kind) => given[kind] !== undefined), {
    path: ["label"],
    message: "no label is given",
  });

export interface ReviewServerOptions {
  answers: readonly ReviewedAnswer[];
  labels: LabelFile;
  /** Who labels; of several, each gives a name on the page, and this one is suggested. */
  labeller: string;
  /** Whether the page asks for a name. */
  asksName: boolean;
  /** What is asked of each answer. */
  asked: readonly LabelKind[];
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

function createHandler({ answers, labels, labeller, asksName, asked, file }: ReviewServerOptions) {
  const known = new Map(answers.map((answer) => [answerKey(answer), answer]));

  function nameOf(given: string | null | undefined): string | undefined {
    if (!asksName) return labeller;
    const name = nameSchema.safeParse(given ?? "");
    return name.success ? name.data : undefined;
  }

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
    const { question_id, generated_answer, note, labeller: named, ...rest } = given.data;
    const answer = known.get(answerKey({ question_id, generated_answer }));
    if (!answer) throw new Refusal(404, "No such answer in this file.");
    if (!asksName && named !== undefined && named !== labeller)
      throw new Refusal(403, `This server takes the labels of ${labeller} only.`);
    const row = {
      question_id,
      question: answer.question,
      ...rest,
      ...(note?.trim() ? { note: note.trim() } : {}),
      generated_answer,
      labeller: nameOf(named) ?? labeller,
      time: new Date().toISOString(),
    };
    await labels.add(row);
    return row;
  }

  return async (request: IncomingMessage): Promise<{ type: string; body: string }> => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://review.invalid");
    if (pathname === "/" && request.method === "GET") {
      const name = nameOf(searchParams.get("labeller"));
      const about = { ...(name === undefined ? {} : { labeller: name }), suggested: labeller, file, asked };
      const body = await reviewPage(reviewData(answers, labels.labels, about));
      return { type: "text/html; charset=utf-8", body };
    }
    if (pathname === "/agreement" && request.method === "GET") {
      return { type: "application/json", body: JSON.stringify({ lines: agreementLines(labels.labels) }) };
    }
    if (pathname === "/labels" && request.method === "POST") {
      return { type: "application/json", body: JSON.stringify(await label(request)) };
    }
    if (["/", "/labels", "/agreement"].includes(pathname)) throw new Refusal(405, "Not with this method.");
    throw new Refusal(404, "There is nothing here.");
  };
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...HEADERS, "content-type": type });
  response.end(body);
}

/**
 * The server of the review page: `GET /?labeller=NAME` is the page, `POST /labels` takes what a reviewer says of one answer, `GET /agreement` tells how
 * far reviewers agree. It sends no CORS headers.
 */
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
