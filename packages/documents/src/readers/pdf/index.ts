import { ApartError } from "../../apart/apart.js";
import { readBytes } from "../../bytes/read-bytes.js";
import type { ReadContext, Reader } from "../reader.js";
import { UnreadableFileError } from "../unreadable-file-error.js";
import { type PageRows, withoutFrames } from "./page-frame.js";
import { rowsOf } from "./page-rows.js";
import { type PdfPart, pdfPages } from "./pdf-pages.js";
import { BlockMaker, factsOf } from "./rows-to-nodes.js";

const MOST_BYTES = 256 * 2 ** 20;
/** The longest manuals of processors have five thousand. */
const MOST_PAGES = 6000;
/** A page that a person reads has some thousands. */
const MOST_PIECES = 50_000;

/** Names that programs give when nobody gave a title. */
const NO_TITLE =
  /^(?:untitled|title|document\d*|microsoft (?:word|powerpoint)\b.*|.*\.(?:docx?|tex|dvi|indd|fm|pdf|odt|pptx?))$/i;

function describe({ kind, message }: ApartError, path: string): string {
  if (kind === "PasswordException")
    return `${path}: encrypted; it cannot be read without its password. Save it without one.`;
  return `${path}: not a PDF file, or a damaged one (${message.split("\n")[0]?.replace(/\.$/, "")}). Save or download it again.`;
}

interface PdfFile {
  file: Extract<PdfPart, { type: "file" }> | undefined;
  pages: PageRows[];
}

async function readPages(path: string, context: ReadContext): Promise<PdfFile> {
  const read: PdfFile = { file: undefined, pages: [] };
  for await (const part of pdfPages(await readBytes(path, MOST_BYTES), MOST_PAGES, { path, turn: context.turn })) {
    if (part.type === "file") {
      read.file = part;
      continue;
    }
    const upright = part.pieces.filter(({ turned }) => !turned);
    const turned = part.pieces.filter((piece) => piece.turned).map(({ text }) => text);
    if (turned.length > 0) context.leaveOut("pages' turned text", turned.join(" "));
    if (upright.length > MOST_PIECES) {
      context.leaveOut("pages with more text than a person reads", "");
      continue;
    }
    if (upright.length === 0) context.leaveOut("pages without text (pictures, scans)", "");
    read.pages.push({ number: part.number, rows: rowsOf(upright) });
  }
  return read;
}

/** Text of PDF by pdf.js; what are headings, columns, code and tables is told by where and how the text is drawn. */
export const pdf: Reader = {
  name: "PDF",
  extensions: [".pdf"],
  async *read({ path }, context) {
    let read: PdfFile;
    try {
      read = await readPages(path, context);
    } catch (cause) {
      if (!(cause instanceof ApartError)) throw cause;
      throw new UnreadableFileError(describe(cause, path), { cause });
    }
    const { file, pages } = read;
    if (pages.every(({ rows }) => rows.length === 0)) {
      throw new UnreadableFileError(
        `${path}: its ${pages.length} pages hold no text: it is a scan or made of pictures. Run a text recognition (OCR) over it first.`,
      );
    }
    if (file && file.pages > MOST_PAGES) {
      context.warn(`has ${file.pages} pages; only the first ${MOST_PAGES} are read. Split the file.`);
    }
    withoutFrames(pages, context.leaveOut);
    const maker = new BlockMaker(factsOf(pages, file?.outline ?? []));
    for (const page of pages) {
      await context.turn();
      maker.add(page);
    }
    const title = file?.title.replace(/\s+/g, " ").trim() ?? "";
    yield {
      tree: { type: "root", children: maker.finish() },
      ...(title === "" || NO_TITLE.test(title) ? {} : { title }),
      metadata: {},
    };
  },
};
