import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { CancelledError, UserError } from "@rag-ft/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cutPages } from "../files/cut-pages.js";
import { findFiles } from "../files/find-files.js";
import { noCounts, readPages } from "../files/read-pages.js";
import { makePassages } from "../passages.js";
import type { SiteLimits } from "./site-limits.js";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let folder: string;
let server: Server;
let site: string;
let answers: Record<string, Answer>;
let asked: string[];
let warnings: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-site-"));
  answers = {};
  asked = [];
  warnings = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const answer = answers[request.url ?? ""];
    if (answer) answer(request, response);
    else response.writeHead(404).end("<h1>Not found</h1>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const send =
  (type: string, body: string | Uint8Array, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(200, { "content-type": type, ...headers }).end(body);
const html = (text: string): Answer => send("text/html", `<html><body><main><h1>${text}</h1></main></body></html>`);
const urlset = (...paths: string[]): string =>
  `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${paths
    .map((path) => `<url><loc>\n${path.startsWith("/") ? site : ""}${path} </loc><lastmod>2024</lastmod></url>`)
    .join("")}</urlset>`;
const sitemap = (...paths: string[]): Answer => send("application/xml", urlset(...paths));

interface Options {
  limits?: Partial<SiteLimits>;
  exclude?: string[];
  signal?: AbortSignal;
}

const find = (entry: string, { limits, exclude = [], signal = new AbortController().signal }: Options = {}) =>
  findFiles([entry], {
    include: [],
    exclude,
    sites: { fetch, folder, signal, warn: (message) => warnings.push(message), ...(limits ? { limits } : {}) },
  });

async function read(entry: string, options?: Options): Promise<Record<string, string>> {
  const { files } = await find(entry, options);
  const texts: Record<string, string> = {};
  const warn = (message: string): void => void warnings.push(message);
  for await (const { file, text } of readPages(files, { warn, turn: async () => {}, counts: noCounts() })) {
    texts[file.source.replace(site, "")] = text;
  }
  return texts;
}

describe("a site by its sitemap", () => {
  it("reads the pages of an index of two sitemaps, one packed, each with its address as source", async () => {
    answers["/sitemap.xml"] = send(
      "text/xml",
      `<sitemapindex><sitemap><loc>${site}/one.xml</loc></sitemap><sitemap><loc><![CDATA[${site}/two.xml.gz]]></loc></sitemap></sitemapindex>`,
    );
    answers["/one.xml"] = sitemap("/guide/", "/a.md?x=1&amp;y=2", "/guide/#again");
    answers["/two.xml.gz"] = send(
      "application/gzip",
      gzipSync(urlset("/old", "https://elsewhere.example/b", "/p.png")),
    );
    answers["/guide/"] = html("Guide");
    answers["/a.md?x=1&y=2"] = send("text/plain; charset=iso-8859-1", Buffer.from("# Stra\u00dfe", "latin1"));
    answers["/old"] = (_, response) => void response.writeHead(301, { location: "/new" }).end();
    answers["/new"] = html("New");
    answers["/p.png"] = send("image/png", "p");
    expect(await read(`${site}/sitemap.xml`)).toEqual({
      "/guide/": "# Guide",
      "/a.md?x=1&y=2": "# Straße",
      "/new": "# New",
    });
    expect([...(await find(`${site}/sitemap.xml`)).unread].sort()).toEqual([
      ["image/png", 1],
      ["pages of other sites", 1],
    ]);
    expect(warnings).toEqual([]);
  });

  it("leaves out what redirects to another site, what hangs, what is too large and what is not there", async () => {
    answers["/sitemap.xml"] = sitemap("/away", "/hang", "/slow", "/large", "/none", "/circle", "/fine");
    answers["/away"] = (_, response) => void response.writeHead(302, { location: "http://127.0.0.2:1/x" }).end();
    answers["/hang"] = () => {};
    answers["/slow"] = (_, response) => void response.writeHead(200, { "content-type": "text/html" }).write("<p>Some");
    answers["/large"] = html("x".repeat(5000));
    answers["/circle"] = (_, response) => void response.writeHead(302, { location: "/circle" }).end();
    answers["/fine"] = html("Fine");
    const { files, unread } = await find(`${site}/sitemap.xml`, { limits: { seconds: 0.5, bytes: 4000 } });
    expect(files.map(({ source }) => source)).toEqual([`${site}/fine`]);
    expect([...unread]).toEqual([
      ["pages that could not be fetched", 5],
      ["pages that redirect to another site", 1],
    ]);
    expect(warnings.map((message) => message.replace(site, "")).sort()).toEqual([
      "/circle: it redirects more than 5 times. It is left out.",
      "/hang: it takes more than 0.5 seconds. It is left out.",
      "/large: it has more than 1 MB. It is left out.",
      "/none: the server answers 404. It is left out.",
      "/slow: it takes more than 0.5 seconds. It is left out.",
    ]);
  });

  it("fetches only what exclude leaves, and no more than the limit of pages", async () => {
    answers["/sitemap.xml"] = sitemap("/docs/a", "/blog/b", "/docs/c");
    answers["/docs/a"] = html("A");
    answers["/docs/c"] = html("C");
    expect(await read(`${site}/sitemap.xml`, { exclude: ["blog/**"] })).toEqual({ "/docs/a": "# A", "/docs/c": "# C" });
    expect(asked).not.toContain("/blog/b");
    expect(await read(`${site}/sitemap.xml`, { limits: { pages: 1 } })).toEqual({ "/docs/a": "# A" });
    expect(warnings).toEqual([expect.stringMatching(/names 3 pages; the first 1 are read/)]);
  });

  it("asks only for what has changed the next time", async () => {
    let version = "1";
    answers["/sitemap.xml"] = sitemap("/page", "/other");
    answers["/other"] = html("Other");
    const given: (string | undefined)[] = [];
    answers["/page"] = (request, response) => {
      given.push(request.headers["if-none-match"]);
      if (request.headers["if-none-match"] === `"${version}"`) response.writeHead(304).end();
      else send("text/html", `<h1>Version ${version}</h1>`, { etag: `"${version}"` })(request, response);
    };
    for (const expected of ["# Version 1", "# Version 1", "# Version 2"]) {
      if (expected.endsWith("2")) version = "2";
      expect(await read(`${site}/sitemap.xml`)).toEqual({ "/page": expected, "/other": "# Other" });
    }
    expect(given).toEqual([undefined, '"1"', '"1"']);
  });

  it("takes one page, which opens at its passages, and takes in no file of this machine", async () => {
    answers["/a.md"] = send("text/markdown", "# Title\n\nText.\n\n{{#include pages.json}}\n\n{{#include /a.md}}");
    const { files } = await find(`${site}/a.md`);
    const said: string[] = [];
    const options = { warn: (text: string) => said.push(text), turn: async () => {}, counts: noCounts() };
    const cut = {
      chunkSize: 100,
      chunkOverlap: 0,
      characters: 800,
      count: (text: string) => text.length / 4,
    };
    for await (const page of cutPages(files, { ...options, cut })) {
      const sourceUrl = "https://never.example/{path}";
      const soFar = { seen: new Set<string>(), numbers: new Map<string, number>() };
      const { passages } = makePassages(page, { minWords: 0, sourceUrl }, soFar);
      expect(passages.map(({ passage }) => passage.page_content)).toEqual(["# Title\n\nText."]);
      expect(passages[0]?.passage.metadata).toMatchObject({
        source: `${site}/a.md`,
        title: "Title",
        link: `${site}/a.md#title`,
      });
    }
    expect(said).toHaveLength(2);
    const [name] = files.map(({ path }) => path);
    expect(await readFile(name ?? "", "utf8")).toContain("include");
  });

  it.each<[string, Answer | undefined, RegExp]>([
    ["/none.xml", undefined, /none\.xml: the server answers 404 \(document_path\)/],
    ["/feed.xml", send("application/xml", "<rss><loc>x</loc></rss>"), /no sitemap: its root is <rss>/],
    ["/sitemap.xml", html("A page"), /no sitemap: its root is <html>/],
    ["/cut.xml", send("text/xml", "<urlset><url><loc>http"), /no sitemap: it is not well-formed XML/],
    ["/own.xml", send("text/xml", '<!DOCTYPE urlset [<!ENTITY a "b">]><urlset>&a;</urlset>'), /not well-formed/],
    ["/empty.xml", send("text/xml", "<urlset></urlset>"), /no page of this sitemap was read/],
    ["/gone.xml", send("text/xml", "<urlset><url><loc>nowhere</loc></url></urlset>"), /1 addresses that are none/],
    ["/p.png", send("image/png", "p"), /neither a sitemap nor a page of a kind that is read \(found 1 image\/png\)/],
    ["/bomb.xml.gz", send("application/gzip", gzipSync(Buffer.alloc(20_000))), /more than 1 MB/],
  ])("says in one sentence what is wrong with %s", async (path, answer, message) => {
    if (answer) answers[path] = answer;
    const found = find(`${site}${path}`, { limits: { bytes: 10_000 } });
    await expect(found).rejects.toBeInstanceOf(UserError);
    await expect(found).rejects.toThrow(message);
  });

  it("says that a server is not there, and stops on request", async () => {
    await expect(find("http://127.0.0.1:1/sitemap.xml")).rejects.toThrow(/cannot be reached \(.+\) \(document_path\)/);
    answers["/sitemap.xml"] = sitemap("/hang");
    const stop = new AbortController();
    answers["/hang"] = () => stop.abort();
    await expect(find(`${site}/sitemap.xml`, { signal: stop.signal })).rejects.toBeInstanceOf(CancelledError);
  });
});
