import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { html, markup } from "./html.js";
import { renderPage, scriptJson } from "./page.js";

const HOSTILE = `</script><script>alert(1)</script><!-- "&' \u2028`;

describe("html", () => {
  it("escapes what is put in, in text and in attributes, and leaves what it made itself", () => {
    const inner = html`<b>${"<i>"}</b>`;
    expect(html`<p title="${`"'>`}">${[inner, "&", 3, false, undefined]}${markup("<hr>")}</p>`.text).toBe(
      '<p title="&quot;&#39;&gt;"><b>&lt;i&gt;</b>&amp;3<hr></p>',
    );
  });
});

describe("scriptJson", () => {
  it("comes back as it was, and holds nothing that ends a script or opens a comment in one", () => {
    const text = scriptJson({ HOSTILE });
    expect(text).not.toMatch(/[<\u2028]/);
    expect(JSON.parse(text)).toEqual({ HOSTILE });
  });
});

describe("renderPage", () => {
  it("holds one script of its own, allowed by its hash, and no other", async () => {
    const page = renderPage({
      title: HOSTILE,
      styles: ["body{}"],
      body: html`<p>${HOSTILE}</p>`,
      scripts: ["globalThis.ran = 1;"],
      data: [HOSTILE],
    });
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script/g)).toHaveLength(2);
    const script = /<script type="module">([\s\S]*?)<\/script>/.exec(page)?.[1] ?? "";
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
    expect(page).toContain(`script-src &#39;sha256-${Buffer.from(digest).toString("base64")}&#39;`);
    expect(page).toContain("default-src &#39;none&#39;");
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
  });
});

describe("the script of every page", () => {
  const source = readFileSync(new URL("../assets/page.js", import.meta.url), "utf8");
  const { sharedRanges, foundRanges, codeParts } = runInNewContext(
    `${source}; ({ sharedRanges, foundRanges, codeParts })`,
  ) as {
    codeParts(text: string): { kind: string; start: number; end: number }[];
    sharedRanges(text: string, reference: string): [number, number][];
    foundRanges(text: string, query: string): [number, number][];
  };
  const marked = (text: string, reference: string): string[] =>
    sharedRanges(text, reference).map(([start, end]) => text.slice(start, end));

  it("finds runs of three words that two texts share, whatever the case and punctuation", () => {
    expect(marked("So: Use `the cache, store` twice. The cache.", "use the CACHE store")).toEqual([
      "Use `the cache, store",
    ]);
    expect(marked("a b c x b c d", "a b c d")).toEqual(["a b c", "b c d"]);
    expect(marked("a b x c d", "a b c d")).toEqual([]);
  });

  it("takes a reference of fewer words whole, and none for nothing", () => {
    expect(marked("say Ünï code, code", "ünï code")).toEqual(["Ünï code"]);
    expect(marked("anything", " … ")).toEqual([]);
  });

  const parts = (text: string): string[] =>
    codeParts(text).map(({ kind, start, end }) => `${kind}: ${text.slice(start, end)}`);

  it("knows blocks of code between fences, and code between backticks", () => {
    expect(parts("Use `a b`.\n```sh\nnpm i\n\nnpm t\n```\nThen `c`")).toEqual([
      "text: Use ",
      "code: a b",
      "text: .\n",
      "block: npm i\n\nnpm t",
      "text: \nThen ",
      "code: c",
    ]);
    // A passage may end within a block, which then ends with it.
    expect(parts("x\n```\ncut `off`\n")).toEqual(["text: x\n", "block: cut `off`\n"]);
    expect(parts("one ` alone, ``two`` and\n`over\nlines`")).toEqual(["text: one ` alone, ``two`` and\n`over\nlines`"]);
    expect(parts("")).toEqual([]);
  });

  it("finds a query as it stands, signs and all", () => {
    expect(foundRanges("a.b A.B axb", "a.b")).toEqual([
      [0, 3],
      [4, 7],
    ]);
    expect(foundRanges("text", "")).toEqual([]);
  });
});
