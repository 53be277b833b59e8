import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Content = string | Uint8Array;

export interface HubModel {
  /** Files of the branch `main`, by path. */
  files: Record<string, Content>;
  /** Files of further branches or tags. */
  revisions?: Record<string, Record<string, Content>>;
  /** `private`: only seen with the token; `gated`: listed, but files are refused without it. */
  access?: "public" | "gated" | "private";
}

export interface HubRequest {
  method: string;
  path: string;
  range: string | undefined;
  authorized: boolean;
}

export interface HubServer {
  /** Goes into `HF_ENDPOINT`. */
  url: string;
  /** All requests so far, for counting and for checking ranges. */
  requests: HubRequest[];
  /** The commit a revision of a model stands for. */
  commit(id: string, revision?: string): string;
  /** The next `times` file bodies break off after so many bytes, the connection closed. */
  cutBodies(afterBytes: number, times: number): void;
  /** The next `times` requests for files are answered with this status. */
  failFiles(status: number, times: number): void;
  /** Ranges are ignored from now on (status 200, the whole file), as some mirrors do. */
  ignoreRanges(): void;
  /** The bytes of this path no longer are what the listing says. */
  tamper(path: string): void;
  close(): Promise<void>;
}

interface StoredFile {
  bytes: Buffer;
  /** SHA-1 of the file as a git blob. */
  oid: string;
  /** SHA-256, for files kept outside git as the hub does with weights. */
  lfs: string | undefined;
}

const digest = (algorithm: "sha1" | "sha256", ...parts: Content[]): string => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

function storeFile(path: string, content: Content): StoredFile {
  const bytes = Buffer.from(content as Uint8Array);
  return {
    bytes,
    oid: digest("sha1", `blob ${bytes.length}\0`, bytes),
    lfs: /\.(safetensors|bin|onnx|gguf)$/.test(path) ? digest("sha256", bytes) : undefined,
  };
}

interface Snapshot {
  commit: string;
  files: Map<string, StoredFile>;
}

function storeRevision(id: string, revision: string, files: Record<string, Content>): Snapshot {
  const stored = new Map(Object.entries(files).map(([path, content]) => [path, storeFile(path, content)]));
  const listing = [...stored].map(([path, file]) => `${path} ${file.oid}`).join("\n");
  return { commit: digest("sha1", `${id} ${revision}\n${listing}`), files: stored };
}

/** Entries of one page of a listing: small, so that the paging is used. */
const PAGE_SIZE = 5;

/**
 * A local server that speaks the model hub's paths: `/api/models/<id>/revision/<rev>`, `/api/models/<id>/tree/<rev>` (paged),
 * `/<id>/resolve/<rev>/<file>` (HEAD, Range, ETag; large files by redirect to a second origin, `/lfs/<sha256>`, which as object storage does refuses a
 * request with a token), with tokens and faults.
 */
export async function startHubServer(options: {
  models: Record<string, HubModel>;
  /** The one token that is taken. */
  token?: string;
}): Promise<HubServer> {
  const models = new Map(
    Object.entries(options.models).map(([id, model]) => [
      id,
      {
        access: model.access ?? "public",
        revisions: new Map(
          Object.entries({ main: model.files, ...model.revisions }).map(([name, files]) => [
            name,
            storeRevision(id, name, files),
          ]),
        ),
      },
    ]),
  );
  const requests: HubRequest[] = [];
  const tampered = new Set<string>();
  const cut = { after: 0, times: 0 };
  const fail = { status: 0, times: 0 };
  let ranges = true;

  const error = (response: ServerResponse, status: number, code: string, message: string): void => {
    response.writeHead(status, { "Content-Type": "application/json", "X-Error-Code": code });
    response.end(JSON.stringify({ error: message }));
  };

  function sendFile(request: IncomingMessage, response: ServerResponse, path: string, file: StoredFile): void {
    const bytes = tampered.has(path) ? Buffer.from(file.bytes.map((byte) => byte ^ 1)) : file.bytes;
    const match = ranges ? /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") : null;
    const start = match ? Number(match[1]) : 0;
    const end = match?.[2] ? Math.min(Number(match[2]) + 1, bytes.length) : bytes.length;
    if (match && start >= bytes.length) {
      response.writeHead(416, { "Content-Range": `bytes */${bytes.length}` }).end();
      return;
    }
    const body = bytes.subarray(start, end);
    response.writeHead(match ? 206 : 200, {
      "Content-Length": body.length,
      "Accept-Ranges": "bytes",
      ETag: `"${file.lfs ?? file.oid}"`,
      ...(match ? { "Content-Range": `bytes ${start}-${end - 1}/${bytes.length}` } : {}),
    });
    if (request.method === "HEAD") response.end();
    else if (cut.times > 0 && body.length > cut.after) {
      cut.times--;
      response.write(body.subarray(0, cut.after), () => response.destroy());
    } else response.end(body);
  }

  function sendApi(response: ServerResponse, url: URL, id: string, kind: string, snapshot: Snapshot): void {
    if (kind === "revision") {
      response.writeHead(200, { "Content-Type": "application/json" });
      const siblings = [...snapshot.files.keys()].map((rfilename) => ({ rfilename }));
      const model = { _id: id, id, sha: snapshot.commit, private: false, gated: false, downloads: 0, likes: 0 };
      response.end(JSON.stringify({ ...model, lastModified: "2024-01-01T00:00:00.000Z", siblings }));
      return;
    }
    const all = [...snapshot.files].map(([path, file]) => ({
      type: "file",
      path,
      size: file.bytes.length,
      oid: file.oid,
      ...(file.lfs ? { lfs: { oid: file.lfs, size: file.bytes.length, pointerSize: 134 } } : {}),
    }));
    const from = Number(url.searchParams.get("cursor") ?? 0);
    const next = new URL(url);
    next.searchParams.set("cursor", String(from + PAGE_SIZE));
    response.writeHead(200, {
      "Content-Type": "application/json",
      ...(from + PAGE_SIZE < all.length ? { Link: `<${next.href}>; rel="next"` } : {}),
    });
    response.end(JSON.stringify(all.slice(from, from + PAGE_SIZE)));
  }

  /** The file with this SHA-256, whichever model has it. */
  function findLfs(sha256: string): [string, StoredFile] | undefined {
    const snapshots = [...models.values()].flatMap((model) => [...model.revisions.values()]);
    return snapshots.flatMap(({ files }) => [...files]).find(([, file]) => file.lfs === sha256);
  }

  function resolveFile(request: IncomingMessage, response: ServerResponse, name: string, from: Snapshot): void {
    const file = from.files.get(name);
    if (file === undefined) {
      error(response, 404, "EntryNotFound", "Entry not found");
      return;
    }
    response.setHeader("X-Repo-Commit", from.commit);
    if (file.lfs === undefined) {
      sendFile(request, response, name, file);
      return;
    }
    response.writeHead(302, {
      Location: `${origin(storage)}/lfs/${file.lfs}`,
      "X-Linked-Size": file.bytes.length,
      "X-Linked-ETag": `"${file.lfs}"`,
      ETag: `"${file.oid}"`,
    });
    response.end();
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
    const path = decodeURIComponent(url.pathname);
    const authorized = options.token !== undefined && request.headers.authorization === `Bearer ${options.token}`;
    requests.push({ method: request.method ?? "GET", path, range: request.headers.range, authorized });
    const api = /^\/api\/models\/(.+?)\/(revision|tree)\/([^/]+)$/.exec(path);
    const resolve = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(path);
    const id = api?.[1] ?? resolve?.[1] ?? "";
    const revision = api?.[3] ?? resolve?.[2] ?? "";
    const model = models.get(id);
    const visible = model !== undefined && (model.access !== "private" || authorized);
    const snapshot =
      model?.revisions.get(revision) ??
      [...(model?.revisions.values() ?? [])].find(({ commit }) => commit === revision);
    if (!visible && authorized) error(response, 404, "RepoNotFound", "Repository not found");
    else if (!visible) error(response, 401, "RepoNotFound", "Invalid username or password.");
    else if (snapshot === undefined) error(response, 404, "RevisionNotFound", `Invalid rev id: ${revision}`);
    else if (api) sendApi(response, url, id, api[2] ?? "", snapshot);
    else if (model.access === "gated" && !authorized) {
      error(response, 403, "GatedRepo", `Access to model ${id} is restricted.`);
    } else if (fail.times > 0) {
      fail.times--;
      error(response, fail.status, "ServerError", "Try again later.");
    } else resolveFile(request, response, resolve?.[3] ?? "", snapshot);
  }

  function answerStorage(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "/";
    requests.push({ method: request.method ?? "GET", path, range: request.headers.range, authorized: false });
    const found = findLfs(path.slice("/lfs/".length));
    if (request.headers.authorization !== undefined) error(response, 400, "InvalidRequest", "Two ways to authorize.");
    else if (found === undefined) error(response, 404, "EntryNotFound", "Entry not found");
    else sendFile(request, response, ...found);
  }

  const server = createServer(answer);
  const storage = createServer(answerStorage);
  const origin = (of: Server): string => `http://127.0.0.1:${(of.address() as AddressInfo).port}`;
  for (const each of [server, storage]) await new Promise<void>((done) => each.listen(0, "127.0.0.1", done));
  return {
    url: origin(server),
    requests,
    commit(id, revision = "main") {
      const snapshot = models.get(id)?.revisions.get(revision);
      if (snapshot === undefined) throw new Error(`The hub server has no ${id}@${revision}.`);
      return snapshot.commit;
    },
    cutBodies(afterBytes, times) {
      Object.assign(cut, { after: afterBytes, times });
    },
    failFiles(status, times) {
      Object.assign(fail, { status, times });
    },
    ignoreRanges() {
      ranges = false;
    },
    tamper: (path) => void tampered.add(path),
    async close() {
      for (const each of [server, storage]) {
        each.closeAllConnections();
        await new Promise<void>((done) => each.close(() => done()));
      }
    },
  };
}
