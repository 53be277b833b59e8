import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { CancelledError, UserError } from "@rag-ft/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cutPages } from "../files/cut-pages.js";
import { findFiles } from "../files/find-files.js";
import { noCounts, readPages } from "../files/read-pages.js";
import { makePassages, noPassages } from "../passages.js";
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
  ignoreRobots?: boolean;
  limits?: Partial<SiteLimits>;
  exclude?: string[];
  signal?: AbortSignal;
}

const find = (entry: string, { limits, exclude = [], signal = new AbortController().signal, ...rest }: Options = {}) =>
  findFiles([entry], {
    include: [],
    exclude,
    sites: { fetch, folder, signal, warn: (message) => warnings.push(message), ...(limits ? { limits } : {}), ...rest },
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

  it("asks again where a server is at fault, asked too much or gone for a moment, but not for ever", async () => {
    answers["/sitemap.xml"] = sitemap("/busy", "/reset", "/broken", "/late", "/gone");
    const times: Record<string, number> = {};
    const onceThen =
      (first: Answer, then: Answer): Answer =>
      (request, response) => {
        const path = request.url ?? "";
        times[path] = (times[path] ?? 0) + 1;
        (times[path] === 1 ? first : then)(request, response);
      };
    const refuse =
      (status: number, headers: Record<string, string> = {}): Answer =>
      (_, response) =>
        void response.writeHead(status, headers).end();
    answers["/busy"] = onceThen(refuse(429, { "retry-after": "0.2" }), html("Busy"));
    answers["/reset"] = onceThen((request) => request.socket.destroy(), html("Reset"));
    answers["/broken"] = onceThen(refuse(503), refuse(503));
    answers["/late"] = onceThen(refuse(503, { "retry-after": "3600" }), html("Late"));
    answers["/gone"] = onceThen(refuse(410), html("Gone"));
    const began = Date.now();
    const { files } = await find(`${site}/sitemap.xml`, { limits: { tries: 2, waitSeconds: 5 } });
    expect(files.map(({ source }) => source)).toEqual([`${site}/busy`, `${site}/reset`]);
    expect(Date.now() - began).toBeGreaterThan(190);
    expect(times).toEqual({ "/busy": 2, "/reset": 2, "/broken": 2, "/late": 1, "/gone": 1 });
    expect(warnings.map((message) => message.replace(site, "")).sort()).toEqual([
      "/broken: the server answers 503, 2 times. It is left out.",
      "/gone: the server answers 410. It is left out.",
      "/late: the server answers 503 and asks to wait 3600 seconds. It is left out.",
    ]);
  });

  it("reads what robots.txt allows, at its pace, unless told otherwise", async () => {
    answers["/sitemap.xml"] = sitemap("/docs/a", "/private/b", "/docs/c.md?print");
    answers["/robots.txt"] = send(
      "text/plain",
      "User-agent: *\nDisallow: /private/\nDisallow: /*?print$\nCrawl-delay: 0.3\n",
    );
    for (const path of ["/docs/a", "/private/b", "/docs/c.md?print"]) answers[path] = html(path);
    const allowed = await find(`${site}/sitemap.xml`);
    expect(allowed.files.map(({ source }) => source)).toEqual([`${site}/docs/a`]);
    expect([...allowed.unread]).toEqual([["pages that robots.txt forbids", 2]]);
    expect(asked).not.toContain("/private/b");
    expect((await find(`${site}/sitemap.xml`, { ignoreRobots: true })).files).toHaveLength(3);
    answers["/sitemap.xml"] = sitemap("/docs/a", "/docs/d");
    answers["/docs/d"] = html("d");
    const began = Date.now();
    expect((await find(`${site}/sitemap.xml`)).files).toHaveLength(2);
    expect(Date.now() - began).toBeGreaterThan(290);
    answers["/robots.txt"] = (_, response) => void response.writeHead(500).end();
    await expect(find(`${site}/sitemap.xml`, { limits: { tries: 1 } })).rejects.toThrow(
      /robots\.txt: the server answers 500, so that it is not known .* set robots to false/,
    );
    // A page that is asked for by its own address needs no leave.
    expect((await find(`${site}/private/b`)).files).toHaveLength(1);
  });

  it("forgets pages that no run has read for long, and their files", async () => {
    answers["/sitemap.xml"] = sitemap("/a", "/b");
    for (const path of ["/a", "/b"]) answers[path] = html(path);
    const { files } = await find(`${site}/sitemap.xml`);
    const [a, b] = files.map(({ path }) => path);
    const list = join(dirname(a ?? ""), "pages.json");
    const kept = JSON.parse(await readFile(list, "utf8"));
    kept[`${site}/a`].used = "2020-01-01";
    kept[`${site}/b`].used = "2020-01-01";
    await writeFile(list, JSON.stringify(kept));
    for (const path of [a, b]) await utimes(path ?? "", 1, 1);
    answers["/sitemap.xml"] = sitemap("/a");
    await find(`${site}/sitemap.xml`);
    expect(Object.keys(JSON.parse(await readFile(list, "utf8")))).toEqual([`${site}/a`]);
    expect((await readdir(dirname(list))).sort()).toEqual([basename(a ?? ""), "pages.json"].sort());
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
      const { passages } = makePassages(page, { minWords: 0, sourceUrl }, noPassages());
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
