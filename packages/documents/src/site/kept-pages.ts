import { readdir, readFile, rm, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { hashText, writeFileAtomic, writeJsonAtomic } from "@rag-ft/core";
import { z } from "zod";
import type { Validators } from "./fetch-page.js";

const keptSchema = z.object({
  file: z.string().regex(/^[\w.-]+$/),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  /** Day of the last run that read it. */
  used: z.iso.date().optional(),
});

type Kept = z.infer<typeof keptSchema>;

/** A page that no run has read for so long goes: the site no longer names it, or nobody reads the site. */
const DAYS = 60;

const today = (): string => new Date().toISOString().slice(0, 10);

/** Pages of a site in a folder, so that the next run fetches only those that have changed. */
export class KeptPages {
  private constructor(
    private readonly folder: string,
    private readonly pages: Map<string, Kept>,
  ) {}

  /** A list that cannot be read is as none: all is fetched again. */
  static async open(folder: string): Promise<KeptPages> {
    const text = await readFile(join(folder, "pages.json"), "utf8").catch(() => "{}");
    const pages = new Map<string, Kept>();
    try {
      for (const [address, kept] of Object.entries(z.record(z.string(), keptSchema).parse(JSON.parse(text)))) {
        if ((await stat(join(folder, kept.file)).catch(() => undefined))?.isFile()) pages.set(address, kept);
      }
    } catch {
      pages.clear();
    }
    return new KeptPages(folder, pages);
  }

  validators(address: string): Validators | undefined {
    const kept = this.pages.get(address);
    if (kept === undefined) return undefined;
    const { etag, lastModified } = kept;
    return { ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) };
  }

  /** Path of a page that is kept, to be read. */
  path(address: string): string | undefined {
    const kept = this.pages.get(address);
    if (kept) kept.used = today();
    return kept && join(this.folder, kept.file);
  }

  /** @returns the path */
  async put(address: string, extension: string, bytes: Uint8Array, validators: Validators): Promise<string> {
    const { pathname } = new URL(address);
    const name = pathname.slice(0, -extname(pathname).length || undefined).replace(/[^\w-]+/g, "-");
    const file = `${name.replace(/^-|-$/g, "").slice(-80) || "index"}.${hashText(address).slice(0, 10)}${extension}`;
    await writeFileAtomic(join(this.folder, file), bytes);
    this.pages.set(address, { file, ...validators, used: today() });
    return join(this.folder, file);
  }

  /** Writes the list, and removes pages that no run has read for `DAYS` days, and files as old that are in no list. */
  async save(): Promise<void> {
    const oldest = Date.now() - DAYS * 86_400_000;
    for (const [address, kept] of this.pages) {
      // A list of an earlier version does not say when.
      kept.used ??= today();
      if (Date.parse(kept.used) < oldest) this.pages.delete(address);
    }
    await writeJsonAtomic(join(this.folder, "pages.json"), Object.fromEntries(this.pages));
    const listed = new Set(["pages.json", ...[...this.pages.values()].map(({ file }) => file)]);
    // A younger file may be one of a run that is at work.
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      if (!listed.has(name) && (await stat(path)).mtimeMs < oldest) await rm(path, { force: true });
    }
  }
}
