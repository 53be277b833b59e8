import { extname, join } from "node:path";
import { CancelledError, hashText, UserError } from "@rag-ft/core";
import type { SourceFile } from "../readers/reader.js";
import { FetchError, type FetchedPage, type FetchPageOptions, fetchPage, isSameSite } from "./fetch-page.js";
import { KeptPages } from "./kept-pages.js";
import { pageExtension } from "./page-kind.js";
import { parseSitemap, type Sitemap } from "./parse-sitemap.js";
import { Patience } from "./patience.js";
import { type Robots, readRobots } from "./robots.js";
import { SITE_LIMITS, type SiteLimits } from "./site-limits.js";

export interface FetchSiteOptions {
  fetch: typeof fetch;
  /** Where pages are kept, each site in a folder of its own. */
  folder: string;
  signal: AbortSignal;
  /** A whole sentence. */
  warn(message: string): void;
  onPage?(done: number, all: number): void;
  /** Read what `robots.txt` forbids, too. */
  ignoreRobots?: boolean;
  limits?: Partial<SiteLimits>;
}

export interface FoundSite {
  /** In the sitemap's order; each has its address as source. */
  files: SourceFile[];
  /** What was not read, by kind: a type (`image/png`) or a few words. */
  unread: Map<string, number>;
}

/** Requests at a time. */
const AT_ONCE = 4;
/** Pages that are warned of one by one; the others are only counted. */
const WARNED = 20;
/** Addresses that are held in memory for each page that may be read, since include and exclude choose among them. */
const NAMED_PER_PAGE = 10;

async function eachAtOnce<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of entries) await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}

/** Text in the charset that the server names becomes UTF-8 with a mark, which readers believe before what the page says. */
function inUtf8({ type, charset, bytes = new Uint8Array() }: FetchedPage): Uint8Array {
  if (charset === undefined || /^utf-?8$/.test(charset) || !/^text\/|xml/.test(type)) return bytes;
  try {
    return Buffer.from(`\uFEFF${new TextDecoder(charset).decode(bytes)}`);
  } catch {
    return bytes; // A charset that does not exist: the page itself may say it.
  }
}

class SiteFinder {
  readonly unread = new Map<string, number>();
  private site: URL;
  private warned = 0;
  private bytes = 0;
  private readonly patience: Patience;

  constructor(
    private readonly entry: string,
    private readonly options: FetchSiteOptions,
    private readonly limits: SiteLimits,
    private readonly wanted: (path: string) => boolean,
    private readonly kept: KeptPages,
  ) {
    this.site = new URL(entry);
    this.patience = new Patience(limits, options.signal);
  }

  private count(kind: string): void {
    this.unread.set(kind, (this.unread.get(kind) ?? 0) + 1);
  }

  private request(address: URL, keeps: boolean): Promise<FetchedPage> {
    const options: FetchPageOptions = {
      fetch: this.options.fetch,
      signal: this.options.signal,
      limits: this.limits,
      allowed: (next) => isSameSite(next, this.site),
      kept: (kept) => (keeps ? this.kept.validators(kept) : undefined),
    };
    return this.patience.run(() => fetchPage(new URL(address), options));
  }

  /** Says why an address gave nothing; `CancelledError` and faults of our own go on. */
  private passOver(address: string, error: unknown): void {
    if (!(error instanceof FetchError)) throw error;
    if (error.elsewhere) this.count("pages that redirect to another site");
    else {
      this.count("pages that could not be fetched");
      if (this.warned++ < WARNED) this.options.warn(`${address}: ${error.message}. It is left out.`);
    }
  }

  private asSitemap(bytes: Uint8Array): Sitemap {
    try {
      return parseSitemap(new TextDecoder().decode(bytes));
    } catch (error) {
      throw new FetchError(`it is no sitemap: ${(error as Error).message}`);
    }
  }

  /** Addresses on the site, each once; the others are counted. */
  private onSite(addresses: readonly string[], seen: Set<string>): URL[] {
    const found: URL[] = [];
    for (const text of addresses) {
      if (!URL.canParse(text)) {
        this.count("addresses that are none");
        continue;
      }
      const address = new URL(text);
      address.hash = "";
      if (!isSameSite(address, this.site)) this.count("pages of other sites");
      else if (!seen.has(address.href)) {
        seen.add(address.href);
        found.push(address);
      }
    }
    return found;
  }

  /** Addresses of the pages behind the entry, and the entry's own page when it is one. */
  private async expand(): Promise<{ pages: URL[]; own?: FetchedPage }> {
    const first = await this.request(this.site, false).catch((error: unknown) => {
      if (!(error instanceof FetchError)) throw error;
      throw new UserError(`${this.entry}: ${error.message} (document_path). Check the address.`, { cause: error });
    });
    this.site = new URL(first.address);
    if (!/^(?:application|text)\/xml$|gzip/.test(first.type) && !/\.xml(?:\.gz)?$/i.test(this.site.pathname)) {
      return { pages: [], own: first };
    }
    const seen = new Set([first.address]);
    const pages: URL[] = [];
    const pagesSeen = new Set<string>();
    const queue: { address: string; page: FetchedPage | URL }[] = [{ address: first.address, page: first }];
    for (const { address, page } of queue) {
      if (pages.length > this.limits.pages * NAMED_PER_PAGE) {
        this.options.warn(`${this.entry}: after ${pages.length} addresses its other sitemaps are left out.`);
        break;
      }
      try {
        const { bytes = new Uint8Array() } = page instanceof URL ? await this.request(page, false) : page;
        const { kind, addresses } = this.asSitemap(bytes);
        if (kind === "pages") pages.push(...this.onSite(addresses, pagesSeen));
        else for (const inner of this.onSite(addresses, seen)) queue.push({ address: inner.href, page: inner });
      } catch (error) {
        if (!(error instanceof FetchError)) throw error;
        if (page === first) {
          throw new UserError(
            `${this.entry}: ${error.message} (document_path). Give the address of a sitemap or of a page.`,
          );
        }
        this.count("sitemaps that could not be read");
        this.options.warn(`${address}: ${error.message}. Its pages are left out.`);
      }
      if (queue.length > this.limits.sitemaps) {
        this.options.warn(`${this.entry}: it names ${queue.length - 1} sitemaps; ${this.limits.sitemaps} are read.`);
        queue.length = this.limits.sitemaps;
      }
    }
    return { pages };
  }

  private async keep(page: FetchedPage): Promise<SourceFile | undefined> {
    const { address: source, type, bytes, validators } = page;
    if (bytes === undefined) {
      const path = this.kept.path(source);
      return path === undefined ? undefined : { path, source };
    }
    this.bytes += bytes.length;
    const extension = pageExtension(type, source);
    if (extension === undefined) {
      this.count(type || extname(new URL(source).pathname) || "pages without a type");
      return undefined;
    }
    return { path: await this.kept.put(source, extension, inUtf8(page), validators), source };
  }

  private async robots(): Promise<Robots | undefined> {
    if (this.options.ignoreRobots) return undefined;
    try {
      return await readRobots(this.site, (address) => this.request(address, false));
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      throw new UserError(
        `${new URL("/robots.txt", this.site).href}: ${error.message}, so that it is not known what the site lets programs read. Try later, or set robots to false.`,
        { cause: error },
      );
    }
  }

  private async fetchAll(addresses: readonly URL[]): Promise<SourceFile[]> {
    const files: (SourceFile | undefined)[] = [];
    const isWanted = ({ pathname }: URL): boolean => this.wanted(pathname.replace(/^\/+/, ""));
    const robots = await this.robots();
    const pages = addresses.filter(isWanted).filter((address) => {
      const allowed = robots?.allows(address) ?? true;
      if (!allowed) this.count("pages that robots.txt forbids");
      return allowed;
    });
    if (pages.length > this.limits.pages) {
      const { pages: most } = this.limits;
      this.options.warn(
        `${this.entry}: it names ${pages.length} pages; the first ${most} are read. Choose with include and exclude.`,
      );
      for (const _ of pages.splice(most)) this.count("pages above the limit");
    }
    let done = 0;
    const pause = (robots?.delay ?? 0) * 1000;
    await eachAtOnce(pages, pause > 0 ? 1 : AT_ONCE, async (address, index) => {
      if (this.options.signal.aborted) throw new CancelledError("Stopped on request.");
      if (this.bytes > this.limits.bytesInAll) this.count("pages above the limit of bytes");
      else {
        if (pause > 0 && index > 0) await this.patience.sleep(pause);
        try {
          files[index] = await this.keep(await this.request(address, true));
        } catch (error) {
          this.passOver(address.href, error);
        }
      }
      this.options.onPage?.(++done, pages.length);
    });
    if (this.unread.has("pages above the limit of bytes")) {
      this.options.warn(`${this.entry}: after ${this.limits.bytesInAll / 2 ** 20} MB the other pages are left out.`);
    }
    return files.filter((file) => file !== undefined);
  }

  async find(): Promise<SourceFile[]> {
    const { pages, own } = await this.expand();
    const found = own ? [await this.keep(own)] : await this.fetchAll(pages);
    await this.kept.save();
    // Two addresses may lead to one page.
    const files = [...new Map(found.flatMap((file) => (file ? [[file.source, file]] : []))).values()];
    if (files.length > 0) return files;
    const others = [...this.unread].map(([kind, number]) => `${number} ${kind}`).join(", ");
    throw new UserError(
      own
        ? `${this.entry}: neither a sitemap nor a page of a kind that is read (found ${others}) (document_path).`
        : `${this.entry}: no page of this sitemap was read${others ? ` (${others})` : ""} (document_path). Check the sitemap, include and exclude.`,
    );
  }
}

/**
 * The pages of a site by its sitemap, an index of sitemaps, or the one page at the address. What is not on the same host is left out
 * and counted; a page that cannot be fetched is warned of. Pages are kept in `folder` and fetched again only when they have changed.
 *
 * @param wanted - whether a page is read, by its path without the first slash
 * @throws UserError when the address gives nothing or no page is left, CancelledError when the run was asked to stop
 */
export async function findSite(
  entry: string,
  options: FetchSiteOptions,
  wanted: (path: string) => boolean = () => true,
): Promise<FoundSite> {
  if (!URL.canParse(entry)) {
    throw new UserError(`${entry}: no address (document_path). Expected such as https://example.org/sitemap.xml.`);
  }
  const { host, origin } = new URL(entry);
  const name = `${host.replace(/[^\w.-]/g, "_")}.${hashText(origin).slice(0, 8)}`;
  const kept = await KeptPages.open(join(options.folder, name));
  const finder = new SiteFinder(entry, options, { ...SITE_LIMITS, ...options.limits }, wanted, kept);
  const files = await finder.find();
  return { files, unread: finder.unread };
}
