import { gfm } from "@joplin/turndown-plugin-gfm";
import { load } from "cheerio";
import TurndownService from "turndown";
import type { RawDocument } from "./raw-document.js";

/** Not part of what the page says. */
const DROPPED =
  "script, style, noscript, template, nav, aside, form, iframe, object, svg, canvas, video, audio, button, input, img, picture, " +
  "[hidden], [aria-hidden=true], [role=navigation], [role=banner], [role=contentinfo], [role=search], [role=complementary], " +
  ".headerlink, .anchor, .breadcrumb, .breadcrumbs, .toc, .sidebar, .skip-link";
/** Where the page's own text is, the most telling place first. */
const MAIN = ["main", "[role=main]", "article", "#main-content", "#content", ".content", "body"];

const turndown = new TurndownService({
  headingStyle: "atx",
  codeBlockStyle: "fenced",
  bulletListMarker: "-",
  emDelimiter: "*",
}).use(gfm);

/** An HTML page as Markdown: its main content without navigation and scripts. Title: `<title>`, else the first `<h1>`. */
export function readHtml(content: string, source: string): RawDocument {
  const page = load(content);
  const heading = page("h1").first().text();
  const title = (page("head > title").first().text().trim() || heading).replace(/\s+/g, " ").trim();
  page(DROPPED).remove();
  const selector = MAIN.find((candidate) => page(candidate).first().text().trim() !== "") ?? "body";
  const main = page(selector).first();
  // A header or footer of the page goes, one of an article (which holds its heading) stays.
  if (selector === "body") main.children("header, footer").remove();
  const description = page("meta[name=description]").attr("content")?.trim();
  return {
    text: turndown.turndown(main.html() ?? "").trim(),
    metadata: { source, ...(title ? { title } : {}), ...(description ? { description } : {}) },
  };
}
