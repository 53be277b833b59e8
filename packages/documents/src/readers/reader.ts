// How a format is read. To add one: a folder `readers/<format>/` whose `index.ts` exports a `Reader`, and a row in `registry.ts`.
//
// A reader turns the bytes of one file into pages, each a tree of Markdown's nodes (mdast). Nothing after the reader knows of
// formats: `render` makes the text of the tree, `cutPage` its passages. What a reader owes:
//
// 1. All that a person sees of the page is in the tree, in the order of reading. What is left out on purpose (navigation, scripts,
//    page numbers) goes through `context.leaveOut`, so that it is counted by kind and `--explain` can show it.
// 2. Text nodes hold plain text: no escapes, no entities, no markup. `html` nodes are never rendered; give their text instead.
// 3. Code blocks are `code` with their lines as they are and, when known, `lang`; code in a line is `inlineCode`. Tables are `table`
//    (first row: the header). Footnotes are `footnoteReference` and `footnoteDefinition`. A definition list is paragraphs: the term
//    (with `data.term`), then what is said of it.
// 4. Headings have their level in `depth` (1 to 6) and, when the published page has one, the id to link to in `data.anchor`.
// 5. Top-level nodes have `position` with lines of the source file, or `data.page` (from 1) for formats of pages (PDF), `data.cell` for notebooks.
// 6. Input may be hostile: bounded time and memory; a file that cannot be read is an `UnreadableFileError` of one sentence that begins with the path: it is warned of and passed over.
//    Bytes come from `readBytes` (bounded) or, decoded and cleaned, from `readText`, both of `../bytes`.
//    `await context.turn()` at least every half second of work, so that Ctrl-C is heard.
import type { Root } from "mdast";

declare module "mdast" {
  interface Data {
    /** Id of the place in the published page: `https://…/page#anchor`. */
    anchor?: string;
    /** A paragraph that names what the next ones say: the term of a definition list, the signature of a function. */
    term?: boolean;
    /** Page of a paged format, from 1. */
    page?: number;
    /** Cell of a notebook, from 1. */
    cell?: number;
  }
}

/** A file to read. */
export interface SourceFile {
  path: string;
  /** What its passages give as source: a path within the folder that was given, or an address. */
  source: string;
  /** The folder that was given and that it was found in. */
  folder?: string;
}

/** What is left out of pages: each kind is counted, so a kind is a few words in the plural: `scripts`, `page numbers`, `line numbers`. */
export type LeaveOut = (kind: string, text: string, line?: number) => void;

/** What a reader is given besides the file. */
export interface ReadContext {
  leaveOut: LeaveOut;
  /** Something is wrong with the file, but it can be read. One sentence without the path; the line is named when given. */
  warn(message: string, line?: number): void;
  /**
   * Text of a file that this one includes, by its path relative to the file (or to `base`, the `path` of an included one), decoded as
   * pages are. Undefined when it is not there or lies outside of the project that the page is of: the reader then warns.
   */
  include(relative: string, base?: string): Promise<{ path: string; text: string } | undefined>;
  /** Lets others work and throws `CancelledError` when the run was asked to stop. */
  turn(): Promise<void>;
}

/** One page. A file is one page in most formats. */
export interface Page {
  tree: Root;
  /** Front matter's title, `<title>` and the like, without the site's name where that can be told; undefined: the first heading's. */
  title?: string;
  /** Where the page says that it comes from (a row's `source` or `url`); the file's own source otherwise. */
  source?: string;
  /** Kept with every passage: `description`, what a row of JSONL holds besides its text. */
  metadata: Record<string, unknown>;
  /** Lines of `position` are not the file's (a row of JSONL), so that passages do not give any. */
  withoutLines?: boolean;
}

/** One format. */
export interface Reader {
  /** As messages name it: `Markdown`, `HTML`, `reStructuredText`. */
  name: string;
  /** Lower case, with the dot. */
  extensions: readonly string[];
  /** The pages of a file, one after the other, so that a large file need not be in memory whole. */
  read(file: SourceFile, context: ReadContext): AsyncIterable<Page>;
}
