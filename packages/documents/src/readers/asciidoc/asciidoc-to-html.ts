import { Apart, type ApartTask, addressOf } from "../../apart/apart.js";

interface Input {
  text: string;
  path: string;
  /** Set before the text's own; a value that ends in `@` gives way to those. */
  attributes: Record<string, string>;
  asciidoctor: string;
}

/** An include directive: the file it names, relative to `base`, an earlier included file. */
export interface Wanted {
  target: string;
  base: string | undefined;
  line: number;
  /** Files that take in one another are too deep here: it is not read. */
  deep: boolean;
  attributes: Record<string, string>;
}

export type Answer = { path: string; text: string } | undefined;

/** The parts of asciidoctor.js that are used; its own types do not name those of its extensions. */
interface Asciidoctor {
  convert: typeof import("@asciidoctor/core")["convert"];
  Extensions: { create(): { includeProcessor(define: (this: IncludeDsl) => void): void } };
}
interface IncludeReader {
  file?: string;
  lineno: number;
  includeStack: unknown[];
  pushInclude(text: string, file: string, path: string, line: number, attributes: Record<string, string>): void;
}
interface IncludeDsl {
  handles(test: () => boolean): void;
  process(
    read: (
      document: unknown,
      reader: IncludeReader,
      target: string,
      attributes: Record<string, string>,
    ) => Promise<void>,
  ): void;
}

/**
 * Safe mode "secure": asciidoctor itself reads no file and no address. Attributes that only the page's frame needs are off, so that what
 * the text sets of them is not heard.
 */
const toHtml: ApartTask<Input, string, Wanted, Answer> = async (
  { text, attributes: given, asciidoctor },
  { load, post, ask },
) => {
  const most = 16;
  const module = (await load(asciidoctor)) as Asciidoctor & { default?: Asciidoctor };
  const { convert, Extensions } = module.default ?? module;
  const registry = Extensions.create();
  registry.includeProcessor(function () {
    this.handles(() => true);
    this.process(async (_, reader, target, attributes) => {
      const base = reader.includeStack.length > 0 ? reader.file : undefined;
      const deep = reader.includeStack.length >= most;
      const file = await ask({ target, base, line: reader.lineno, deep, attributes });
      if (file) reader.pushInclude(file.text, file.path, target, 1, attributes);
    });
  });
  const html = await convert(text, {
    safe: "secure",
    standalone: false,
    extension_registry: registry,
    attributes: {
      ...given,
      showtitle: "",
      experimental: "",
      "toc!": "",
      "sectnums!": "",
      "icons!": "",
      "stem!": "",
      "webfonts!": "",
    },
  });
  post(String(html));
};

const apart = new Apart(toHtml, { seconds: 60, megabytes: 1024 });

export interface AsciidocRun {
  path: string;
  turn(): Promise<void>;
  answer(wanted: Wanted): Promise<Answer>;
}

/** An AsciiDoc text as HTML, by asciidoctor.js, in a thread of its own. */
export async function asciidocToHtml(
  text: string,
  attributes: Record<string, string>,
  run: AsciidocRun,
): Promise<string> {
  const input = { text, path: run.path, attributes, asciidoctor: addressOf("@asciidoctor/core") };
  let html = "";
  for await (const part of apart.run(input, run)) html = part;
  return html;
}
