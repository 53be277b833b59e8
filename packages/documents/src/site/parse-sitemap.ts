import { SaxesParser } from "saxes";

/** What a sitemap names. */
export interface Sitemap {
  /** `index`: the addresses are those of sitemaps. */
  kind: "pages" | "index";
  addresses: string[];
}

/** A name without its prefix: some sitemaps are written `sm:loc`. */
const localName = (name: string): string => name.slice(name.indexOf(":") + 1);

/**
 * The addresses of a sitemap (https://www.sitemaps.org/protocol.html). Entities that a document defines itself are not expanded.
 *
 * @throws Error of a few words when the text is no sitemap
 */
export function parseSitemap(text: string): Sitemap {
  const addresses: string[] = [];
  const path: string[] = [];
  let location = "";
  const parser = new SaxesParser();
  const addText = (part: string): void => {
    if (path.length === 3 && path[2] === "loc") location += part;
  };
  parser.on("opentag", ({ name }) => {
    path.push(localName(name));
    if (path.length > 1) return;
    if (path[0] !== "urlset" && path[0] !== "sitemapindex") {
      throw new Error(`its root is <${name.slice(0, 40)}>, not <urlset> or <sitemapindex>`);
    }
  });
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("closetag", () => {
    if (path.length === 3 && path[2] === "loc") {
      const address = location.trim();
      if (address !== "") addresses.push(address);
      location = "";
    }
    path.pop();
  });
  let kind: Sitemap["kind"] = "pages";
  parser.on("opentagstart", ({ name }) => {
    if (path.length === 0 && localName(name) === "sitemapindex") kind = "index";
  });
  parser.on("error", (error) => {
    throw new Error(`it is not well-formed XML (${error.message})`);
  });
  parser.write(text.replace(/^\uFEFF/, "").trimStart()).close();
  return { kind, addresses };
}
