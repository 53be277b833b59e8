import { Apart, type ApartTask, addressOf } from "../../apart/apart.js";

/** A stretch of text that is drawn at once. Lengths in points; y grows upwards from the bottom of the page. */
export interface Piece {
  text: string;
  x: number;
  y: number;
  width: number;
  /** Of the font. */
  size: number;
  /** All its letters are as wide: code. */
  mono: boolean;
  turned: boolean;
}

export type PdfPart =
  | {
      type: "file";
      pages: number;
      title: string /** Titles of chapters and their depth, from 1. */;
      outline: [string, number][];
    }
  | { type: "page"; number: number; pieces: Piece[] };

interface Input {
  bytes: Uint8Array;
  most: number;
  pdfjs: string;
}

type Pdfjs = typeof import("pdfjs-dist");

const toPages: ApartTask<Input, PdfPart> = async ({ bytes, most, pdfjs }, { load, post }) => {
  // pdf.js asks for these where it draws; nothing is drawn here.
  const global = globalThis as Record<string, unknown>;
  for (const name of ["DOMMatrix", "ImageData", "Path2D"]) global[name] ??= class {};
  const { getDocument } = (await load(pdfjs)) as Pdfjs;
  const folder = new URL("../../", pdfjs);
  const file = await getDocument({
    data: bytes,
    cMapUrl: new URL("cmaps/", folder).href.replace("file://", ""),
    standardFontDataUrl: new URL("standard_fonts/", folder).href.replace("file://", ""),
    isEvalSupported: false,
    disableFontFace: true,
    useSystemFonts: false,
    enableXfa: false,
    verbosity: 0,
  }).promise;
  const { info } = await file.getMetadata().catch(() => ({ info: {} }));
  const outline: [string, number][] = [];
  const list = (entries: { title: string; items: unknown[] }[], depth: number): void => {
    for (const { title, items } of entries) {
      if (outline.length >= 10_000 || depth > 6) return;
      outline.push([title, depth]);
      list(items as typeof entries, depth + 1);
    }
  };
  list((await file.getOutline().catch(() => null)) ?? [], 1);
  const title = (info as { Title?: unknown }).Title;
  post({ type: "file", pages: file.numPages, title: typeof title === "string" ? title : "", outline });
  for (let number = 1; number <= Math.min(file.numPages, most); number++) {
    const pieces: Piece[] = [];
    try {
      const page = await file.getPage(number);
      const { items, styles } = await page.getTextContent();
      for (const item of items) {
        if (!("str" in item) || item.str === "") continue;
        const [a = 0, b = 0, c = 0, d = 0, x = 0, y = 0] = item.transform as number[];
        pieces.push({
          text: item.str,
          x,
          y,
          width: item.width,
          size: Math.hypot(c, d),
          mono: styles[item.fontName]?.fontFamily === "monospace",
          turned: Math.abs(b) > Math.abs(a) * 0.1,
        });
      }
      page.cleanup();
    } catch {
      // A damaged page: the others can be read, and this one is told of as one without text.
    }
    post({ type: "page", number, pieces });
  }
  await file.destroy();
};

const apart = new Apart(toPages, { seconds: 60, megabytes: 1024 });

/** What is drawn of text on each page of a PDF, at most `most`, by pdf.js in a thread of its own. */
export function pdfPages(
  bytes: Uint8Array,
  most: number,
  run: { path: string; turn(): Promise<void> },
): AsyncGenerator<PdfPart> {
  return apart.run({ bytes, most, pdfjs: addressOf("pdfjs-dist/legacy/build/pdf.mjs") }, run);
}
