import { randomUUID } from "node:crypto";
import type { RawReply } from "./raw-reply.js";

interface BatchLine {
  custom_id: string;
  method: string;
  url: string;
  body: unknown;
}

/** A batch as the server holds it. */
export interface ServedBatch {
  id: string;
  status: string;
  metadata: Record<string, string> | null;
  input_file_id: string;
  output_file_id: string | null;
  error_file_id: string | null;
  request_counts: { total: number; completed: number; failed: number };
  errors: { data: { code: string; message: string; line: number | null }[] } | null;
}

export interface BatchEndpointOptions {
  /** How often a batch has to be looked at until it is done. */
  looks?: number;
  /** Answers one line. */
  answer: (body: unknown) => Promise<RawReply>;
  /** Ids of requests that the batch is too late for; asked again in another batch, they are answered. */
  expire?: (customId: string, batchNumber: number) => boolean;
  /** What is wrong with the whole batch, as the server finds it after a look. */
  invalid?: (lines: readonly { body: unknown }[]) => { code: string; message: string } | undefined;
}

export interface BatchEndpoints {
  batches: ServedBatch[];
  /** Undefined for other paths. */
  handle(method: string, path: string, body: Buffer, contentType: string | undefined): Promise<RawReply | undefined>;
}

/** The content of the one file in a multipart body. */
function fileIn(body: Buffer, contentType: string | undefined): string {
  const boundary = /boundary=("?)([^";]+)\1/.exec(contentType ?? "")?.[2];
  if (!boundary) throw new Error("not multipart");
  const parts = body.toString("utf8").split(`--${boundary}`);
  const part = parts.find((text) => /content-disposition:[^\n]*filename=/i.test(text));
  if (part === undefined) throw new Error("no file in the body");
  return part.slice(part.indexOf("\r\n\r\n") + 4, -2);
}

const notFound: RawReply = { status: 404, body: { error: { message: "No such object.", code: "not_found" } } };

/** `/v1/files` and `/v1/batches` as OpenAI's Batch API has them; batches are worked on when they are looked at. */
export function createBatchEndpoints({ looks = 1, answer, expire, invalid }: BatchEndpointOptions): BatchEndpoints {
  const files = new Map<string, string>();
  const looked = new Map<string, number>();
  const batches: ServedBatch[] = [];

  const saveFile = (lines: readonly unknown[]): string | null => {
    if (lines.length === 0) return null;
    const id = `file-${randomUUID()}`;
    files.set(id, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    return id;
  };
  const linesOf = (fileId: string): BatchLine[] =>
    (files.get(fileId) ?? "")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as BatchLine);

  const work = async (batch: ServedBatch): Promise<void> => {
    const lines = linesOf(batch.input_file_id);
    const problem = invalid?.(lines);
    if (problem) {
      batch.status = "failed";
      batch.errors = { data: [{ ...problem, line: 1 }] };
      return;
    }
    const number = batches.indexOf(batch);
    const output: unknown[] = [];
    const failed: unknown[] = [];
    for (const { custom_id, body } of lines) {
      const id = `batch_req_${randomUUID()}`;
      if (expire?.(custom_id, number)) {
        failed.push({ id, custom_id, response: null, error: { code: "batch_expired", message: "Too late." } });
        continue;
      }
      const reply = await answer(body);
      const status_code = reply.status ?? 200;
      const line = { id, custom_id, response: { status_code, request_id: id, body: reply.body }, error: null };
      (status_code === 200 ? output : failed).push(line);
    }
    batch.output_file_id = saveFile(output);
    batch.error_file_id = saveFile(failed);
    batch.request_counts = { total: lines.length, completed: output.length, failed: failed.length };
    batch.status = failed.some((line) => (line as { error: unknown }).error) ? "expired" : "completed";
  };
  const shown = (batch: ServedBatch): RawReply => ({
    body: { ...batch, object: "batch", endpoint: "/v1/chat/completions", completion_window: "24h", created_at: 0 },
  });

  return {
    batches,
    async handle(method, path, body, contentType) {
      const route = `${method} ${path}`;
      if (route === "POST /v1/files") {
        const id = `file-${randomUUID()}`;
        files.set(id, fileIn(body, contentType));
        return { body: { id, object: "file", purpose: "batch", filename: "requests.jsonl", bytes: body.length } };
      }
      const content = /^GET \/v1\/files\/([^/]+)\/content$/.exec(route)?.[1];
      if (content !== undefined) return files.has(content) ? { body: files.get(content) } : notFound;
      if (route === "POST /v1/batches") {
        const { input_file_id, metadata } = JSON.parse(body.toString("utf8"));
        if (!files.has(input_file_id)) return notFound;
        const total = linesOf(input_file_id).length;
        const batch: ServedBatch = {
          id: `batch_${batches.length + 1}`,
          status: "validating",
          metadata: metadata ?? null,
          input_file_id,
          output_file_id: null,
          error_file_id: null,
          request_counts: { total, completed: 0, failed: 0 },
          errors: null,
        };
        batches.push(batch);
        return shown(batch);
      }
      if (route === "GET /v1/batches") {
        const data = [...batches].reverse().map((batch) => shown(batch).body);
        return { body: { object: "list", data, has_more: false } };
      }
      const id = /^GET \/v1\/batches\/([^/]+)$/.exec(route)?.[1];
      if (id === undefined) return undefined;
      const batch = batches.find((other) => other.id === id);
      if (!batch) return notFound;
      const times = (looked.get(id) ?? 0) + 1;
      looked.set(id, times);
      if (times === looks) await work(batch);
      else if (times < looks) batch.status = "in_progress";
      return shown(batch);
    },
  };
}
