import { strToU8, type Zippable, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { readFilePage, readFilePages } from "../../testing/read-file-pages.js";

const W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const style = (id: string, name: string): string =>
  `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/></w:style>`;
const p = (text: string, properties = ""): string =>
  `<w:p><w:pPr>${properties}</w:pPr><w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
const styled = (id: string, text: string): string => p(text, `<w:pStyle w:val="${id}"/>`);
const cell = (text: string): string => `<w:tc>${p(text)}</w:tc>`;

/** A document of a few parts, as Word packs it. */
function document(body: string, more: Zippable = {}): Uint8Array {
  const part = (name: string): string => `application/vnd.openxmlformats-officedocument.wordprocessingml.${name}+xml`;
  return zipSync({
    "[Content_Types].xml": strToU8(
      `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="${part("document.main")}"/></Types>`,
    ),
    "_rels/.rels": strToU8(
      `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="a" Type="${OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>`,
    ),
    "word/_rels/document.xml.rels": strToU8(
      `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="s" Type="${OFFICE}/styles" Target="styles.xml"/><Relationship Id="n" Type="${OFFICE}/footnotes" Target="footnotes.xml"/></Relationships>`,
    ),
    "word/styles.xml": strToU8(
      `<w:styles ${W}>${style("T", "Title")}${style("H2", "heading 2")}${style("C", "Source Code")}</w:styles>`,
    ),
    "word/footnotes.xml": strToU8(
      `<w:footnotes ${W}><w:footnote w:id="2">${p("The note.")}</w:footnote></w:footnotes>`,
    ),
    "word/document.xml": strToU8(`<w:document ${W}><w:body>${body}</w:body></w:document>`),
    ...more,
  });
}

describe("DOCX", () => {
  it("reads headings, code, tables and notes, and counts headers and comments", async () => {
    const body = [
      styled("T", "The title"),
      `<w:p><w:r><w:t>See</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t xml:space="preserve"> it &lt;now&gt;.</w:t></w:r></w:p>`,
      styled("H2", "A part"),
      styled("C", "def f():"),
      styled("C", "    return 1"),
      `<w:tbl><w:tr>${cell("Name")}${cell("Value")}</w:tr><w:tr>${cell("x")}${cell("1")}</w:tr></w:tbl>`,
    ].join("");
    const { text, page, leftOut } = await readFilePage(
      "a.docx",
      document(body, {
        "word/header1.xml": strToU8(`<w:hdr ${W}>${p("Confidential")}</w:hdr>`),
        "word/comments.xml": strToU8(`<w:comments ${W}><w:comment>${p("Why?")}</w:comment></w:comments>`),
      }),
    );
    expect(text).toBe(
      "# The title\n\nSee[^1] it <now>.\n\n## A part\n\n```\ndef f():\n    return 1\n```\n\n" +
        "| Name | Value |\n| --- | --- |\n| x | 1 |\n\n[^1]: The note.",
    );
    expect(page.withoutLines).toBe(true);
    expect(leftOut.counts()).toEqual({ "running headers and footers": 1, "comments of reviewers": 1 });
  });

  it("ends at archives that unpack to too much, whatever they say of their size", async () => {
    const archive = document(p("x".repeat(2 ** 20)));
    /** The same, with another size written where the archive lists its entries. */
    const saying = (size: number): Uint8Array => {
      const changed = archive.slice();
      const view = new DataView(changed.buffer);
      for (let i = 0; i + 46 < changed.length; i++) {
        const large = view.getUint32(i, true) === 0x02014b50 && view.getUint32(i + 24, true) > 2 ** 20;
        if (large) view.setUint32(i + 24, size, true);
      }
      return changed;
    };
    await expect(readFilePages("a.docx", saying(2 ** 30))).rejects.toThrow(
      /a\.docx: its text unpacks to more than 64 MB/,
    );
    await expect(readFilePages("a.docx", saying(50))).rejects.toThrow(/a\.docx: not a DOCX file, or a damaged one/);
  });

  it.each([
    ["a text", "hello", /a\.docx: not a DOCX file: it is no zip/],
    ["another archive", zipSync({ "a.xml": strToU8("<a/>") }), /not a DOCX file: it has no list of contents/],
    ["an old document", new Uint8Array([0xd0, 0xcf, 0x11, 0xe0, 0, 0]), /encrypted, or a document of Word before 2007/],
    ["XML that ends too early", document("<w:p>").slice(), /a\.docx: not a DOCX file, or a damaged one/],
    ["tags without end", document("<w:p>".repeat(100_000)), /a\.docx: /],
  ])("says in one sentence what is wrong with %s", async (_, content, message) => {
    await expect(readFilePages("a.docx", content)).rejects.toThrow(message);
  });
});
