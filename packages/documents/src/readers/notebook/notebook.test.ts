import { describe, expect, it } from "vitest";
import { readFilePage, readFilePages } from "../../testing/read-file-pages.js";

const notebook = (cells: unknown[], metadata: unknown = { language_info: { name: "python" } }): string =>
  JSON.stringify({ nbformat: 4, metadata, cells });
const code = (source: string | string[], outputs: unknown[] = [], tags: string[] = []): unknown => ({
  cell_type: "code",
  source,
  outputs,
  metadata: { tags },
});

describe("notebooks", () => {
  it("reads Markdown cells as Markdown, code with its language and outputs as plain text", async () => {
    const { text, page, blocks } = await readFilePage(
      "a.ipynb",
      notebook([
        { cell_type: "markdown", source: ["# A *title*\n", "\n", "See [docs](https://x.org) for `a_b`.\n"] },
        code(
          ["import a\n", "a.b(1)"],
          [{ output_type: "execute_result", data: { "text/plain": ["   x\n", "0  1"], "text/html": "<table>" } }],
        ),
        code("%%bash\nls", [{ output_type: "stream", text: "10%\r100%\n\u001b[31mred\u001b[0m\n" }]),
      ]),
    );
    expect(text).toBe(
      "# A *title*\n\nSee docs for `a_b`.\n\n```python\nimport a\na.b(1)\n```\n\n```\n   x\n0  1\n```\n\n```bash\n%%bash\nls\n```\n\n```\n100%\nred\n```",
    );
    expect(page.withoutLines).toBe(true);
    expect(blocks.map(({ cell }) => cell)).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it("counts what of the outputs is left out, and keeps their first lines", async () => {
    const long = Array.from({ length: 40 }, (_, i) => `line ${i}`).join("\n");
    const { text, leftOut } = await readFilePage(
      "a.ipynb",
      notebook([
        code("plot()", [
          {
            output_type: "display_data",
            data: { "image/png": "iVBOR", "text/plain": "<Figure size 640x480 with 1 Axes>" },
          },
          { output_type: "error", ename: "KeyError", evalue: "'x'", traceback: [] },
          { output_type: "stream", text: long },
        ]),
        code("secret()", [], ["remove-cell"]),
      ]),
    );
    expect(text).toContain("line 14\n…\n```");
    expect(text).not.toMatch(/Figure|KeyError|line 15|secret/);
    expect(leftOut.counts()).toEqual({
      "ends of long outputs": 1,
      "errors in outputs": 1,
      "cells hidden by their tag": 1,
      "images in outputs": 1,
    });
  });

  it("reads version 3, whose cells are in worksheets", async () => {
    const cells = [
      { cell_type: "heading", level: 2, source: "Old" },
      { cell_type: "code", input: "x = 1", outputs: [{ output_type: "pyout", text: ["1"] }] },
    ];
    const { text } = await readFilePage("a.ipynb", JSON.stringify({ nbformat: 3, worksheets: [{ cells }] }));
    expect(text).toBe("## Old\n\n```\nx = 1\n```\n\n```\n1\n```");
  });

  it.each([
    ["a word", "hello", /a\.ipynb: not a notebook: it is not JSON/],
    ["no cells", "{}", /not a notebook \(cells: missing/],
    ["cells that are none", '{"cells":[1]}', /not a notebook \(cells\.0/],
    ["brackets without end", "[".repeat(200_000), /not a notebook/],
  ])("says in one sentence what is wrong with %s", async (_, content, message) => {
    await expect(readFilePages("a.ipynb", content)).rejects.toThrow(message);
  });
});
