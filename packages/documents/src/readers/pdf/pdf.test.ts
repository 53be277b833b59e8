import { describe, expect, it } from "vitest";
import { readFilePage, readFilePages } from "../../testing/read-file-pages.js";

type Line = [x: number, y: number, text: string, size?: number, font?: "F" | "M"];

/** A PDF of pages of lines; F is Helvetica, M is Courier. Without a table of objects: pdf.js finds them. */
function document(pages: readonly (readonly Line[])[], more = ""): string {
  const draw = ([x, y, text, size = 10, font = "F"]: Line): string =>
    `BT /${font} ${size} Tf ${x} ${y} Td (${text.replace(/[()\\]/g, "\\$&")}) Tj ET`;
  const objects = [
    "1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj",
    `2 0 obj << /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, i) => `${10 + 2 * i} 0 R`).join(" ")}] >> endobj`,
    "3 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> endobj",
    "4 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Courier >> endobj",
    ...pages.flatMap((lines, i) => {
      const content = lines.map(draw).join("\n");
      return [
        `${10 + 2 * i} 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents ${11 + 2 * i} 0 R /Resources << /Font << /F 3 0 R /M 4 0 R >> >> >> endobj`,
        `${11 + 2 * i} 0 obj << /Length ${content.length} >> stream\n${content}\nendstream endobj`,
      ];
    }),
    more,
  ];
  return `%PDF-1.4\n${objects.join("\n")}\ntrailer << /Root 1 0 R ${more === "" ? "" : "/Encrypt 90 0 R /ID [<00><00>]"} >>\n%%EOF\n`;
}

describe("PDF", () => {
  it("reads headings, paragraphs, code, items and tables, and joins words and sentences that are parted", async () => {
    const { text, blocks } = await readFilePage(
      "a.pdf",
      document([
        [
          [50, 740, "The Guide", 20],
          [50, 700, "The first paragraph goes over two lines and has a hyphen-"],
          [50, 688, "ated word. It ends with the well-known sentence that does not"],
          [50, 660, "A Part", 14],
          [50, 640, "$ tool run", 9, "M"],
          [71.6, 629, "--all", 9, "M"],
          [50, 600, "- one item"],
          [50, 588, "- another item"],
          [50, 560, "Name"],
          [250, 560, "Value"],
          [50, 548, "x"],
          [250, 548, "1"],
          [50, 536, "y"],
          [250, 536, "2"],
          [50, 500, "This sentence is not at its end when the page is and so it goes"],
        ],
        [[50, 740, "on here. The end."]],
      ]),
    );
    expect(text).toBe(
      [
        "# The Guide",
        "The first paragraph goes over two lines and has a hyphenated word. It ends with the well-known sentence that does not",
        "## A Part",
        "```\n$ tool run\n    --all\n```",
        "- one item\n- another item",
        "| Name | Value |\n| --- | --- |\n| x | 1 |\n| y | 2 |",
        "This sentence is not at its end when the page is and so it goes on here. The end.",
      ].join("\n\n"),
    );
    expect(blocks.map(({ page }) => page)).toEqual(blocks.map(() => 1));
  });

  it("reads one column after the other", async () => {
    const column = (x: number, name: string): Line[] =>
      Array.from({ length: 8 }, (_, i) => [x, 700 - 12 * i, `${name} column has line number ${i} and more of it`]);
    const lines = column(50, "left").flatMap((line, i) => [line, column(320, "right")[i] as Line]);
    const { text } = await readFilePage(
      "a.pdf",
      document([[[150, 740, "A title over both of the columns", 16], ...lines]]),
    );
    expect(text).toMatch(/^# A title over both of the columns\n\nleft column/);
    expect(text.indexOf("right")).toBeGreaterThan(text.lastIndexOf("left"));
  });

  it("leaves out and counts page numbers, running headers and lines of contents", async () => {
    const pages = ["One", "Two", "Three"].map((name, i): Line[] => [
      [50, 770, "Handbook of the tool"],
      [50, 700, `${name} is what this page says.`],
      [50, 650, `Chapter ${name} . . . . . . . . ${i + 4}`],
      [300, 30, String(i + 1)],
    ]);
    const { text, leftOut, blocks } = await readFilePage("a.pdf", document(pages));
    expect(text).toBe("One is what this page says.\n\nTwo is what this page says.\n\nThree is what this page says.");
    expect(blocks.map(({ page }) => page)).toEqual([1, 2, 3]);
    expect(leftOut.counts()).toEqual({
      "running headers and footers": 3,
      "lines of a table of contents": 3,
      "page numbers": 3,
    });
  });

  const loop = "2 0 obj << /Type /Pages /Count 5 /Kids [2 0 R 2 0 R] >> endobj";
  const encrypted =
    "90 0 obj << /Filter /Standard /V 1 /R 2 /P -4 /O <0000000000000000000000000000000000000000000000000000000000000000> /U <0000000000000000000000000000000000000000000000000000000000000000> >> endobj";
  it.each([
    ["a text", "hello", /a\.pdf: not a PDF file, or a damaged one/],
    [
      "pages of pages of themselves",
      `%PDF-1.4\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n${loop}\ntrailer << /Root 1 0 R >>`,
      /a\.pdf: /,
    ],
    ["a scan", document([[], []]), /a\.pdf: its 2 pages hold no text: it is a scan/],
    [
      "an encrypted file",
      document([[[50, 700, "secret"]]], encrypted),
      /a\.pdf: encrypted; it cannot be read without its password/,
    ],
  ])("says in one sentence what is wrong with %s", async (_, content, message) => {
    await expect(readFilePages("a.pdf", content)).rejects.toThrow(message);
  });

  it("ends at drawings that draw themselves", async () => {
    const form =
      "11 0 obj << /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /A 11 0 R >> /Font << /F 3 0 R >> >> /Length 60 >> stream\nBT /F 9 Tf 50 700 Td (again) Tj ET /A Do /A Do /A Do /A Do   \nendstream endobj";
    const content = document([[[50, 700, "x"]]])
      .replace(/11 0 obj[\s\S]*?endobj/, form)
      .replace("/Contents 11 0 R", "/Contents 12 0 R")
      .replace("/Resources << /Font", "/Resources << /XObject << /A 11 0 R >> /Font")
      .replace("trailer", "12 0 obj << /Length 5 >> stream\n/A Do\nendstream endobj\ntrailer");
    const { text } = await readFilePage("a.pdf", content);
    expect(text.length).toBeLessThan(10_000);
    expect(text).toContain("again");
  });
});
