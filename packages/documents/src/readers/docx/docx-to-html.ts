import { Apart, type ApartTask, addressOf } from "../../apart/apart.js";

/** What an archive may unpack to without its pictures: a book of a thousand pages has near 20 MB. */
const MOST_UNPACKED = 64 * 2 ** 20;

export type DocxPart =
  | { type: "html"; html: string }
  /** What is not in the HTML: headers, footers, comments, and elements that mammoth does not know. */
  | { type: "left out"; kind: string; text: string }
  | { type: "bad"; why: string };

interface Input {
  bytes: Uint8Array;
  most: number;
  fflate: string;
  mammoth: string;
}

/** Unpacks what holds text, within bounds, and packs it again without compression, so that mammoth unpacks no more than that. */
const toHtml: ApartTask<Input, DocxPart> = async ({ bytes, most, ...addresses }, { load, post }) => {
  const { unzipSync, zipSync, strFromU8 } = (await load(addresses.fflate)) as typeof import("fflate");
  const bad = (why: string): void => post({ type: "bad", why });
  let sum = 0;
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        const wanted = /\.(?:xml|rels)$/i.test(name);
        // What an entry says of its size is all that is unpacked of it.
        if (wanted) sum += originalSize;
        return wanted && sum <= most;
      },
    });
  } catch {
    return bad("not a DOCX file: it is no zip archive, or a damaged one");
  }
  if (sum > most)
    return bad(`its text unpacks to more than ${Math.round(most / 2 ** 20)} MB, as no document of a person does`);
  if (entries["[Content_Types].xml"] === undefined) return bad("not a DOCX file: it has no list of contents");

  for (const [name, entry] of Object.entries(entries)) {
    const kind = /(?:^|\/)(?:header|footer)\d*\.xml$/.test(name)
      ? "running headers and footers"
      : /(?:^|\/)comments\d*\.xml$/.test(name)
        ? "comments of reviewers"
        : undefined;
    if (kind === undefined) continue;
    const text = strFromU8(entry)
      .replace(/<[^<>]*>/g, " ")
      .replace(/\s+/g, " ")
      .trim();
    if (text !== "") post({ type: "left out", kind, text });
  }

  const { default: mammoth } = (await load(addresses.mammoth)) as { default: typeof import("mammoth") };
  const { value, messages } = await mammoth.convertToHtml(
    { buffer: Buffer.from(zipSync(entries, { level: 0 })) },
    {
      convertImage: mammoth.images.imgElement(async () => ({ src: "" })),
      styleMap: [
        "p[style-name='Title'] => h1:fresh",
        "p[style-name='Source Code'] => pre:separator('\\n')",
        "p[style-name='HTML Preformatted'] => pre:separator('\\n')",
        "p[style-name='Preformatted Text'] => pre:separator('\\n')",
        "r[style-name='Verbatim Char'] => code",
        "r[style-name='HTML Code'] => code",
        "r[style-name='Source Text'] => code",
      ],
    },
  );
  for (const { message } of messages) {
    const element = /unrecognised element was ignored: (\S+)/.exec(message)?.[1];
    if (element) post({ type: "left out", kind: "elements that are not read", text: element });
  }
  post({ type: "html", html: value });
};

const apart = new Apart(toHtml, { seconds: 60, megabytes: 1024 });

/** The text of a DOCX file as HTML, by mammoth, in a thread of its own. */
export function docxToHtml(bytes: Uint8Array, run: { path: string; turn(): Promise<void> }): AsyncGenerator<DocxPart> {
  const input = { bytes, most: MOST_UNPACKED, fflate: addressOf("fflate"), mammoth: addressOf("mammoth") };
  return apart.run(input, run);
}
