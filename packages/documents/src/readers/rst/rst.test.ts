import { describe, expect, it } from "vitest";
import { readFilePage } from "../../testing/read-file-pages.js";

const text = async (...lines: string[]): Promise<string> => (await readFilePage("a.rst", lines.join("\n"))).text;

describe("reStructuredText", () => {
  it("reads sections with their ids and lines", async () => {
    const { blocks } = await readFilePage(
      "a.rst",
      "=====\nTitle\n=====\n\nText.\n\nA `Part` & more\n---------------\n\nEnd.\n",
    );
    expect(blocks.map(({ kind, level, anchor, lines }) => [kind, level, anchor, lines?.[0]])).toEqual([
      ["heading", 1, "title", 1],
      ["paragraph", 0, undefined, 5],
      ["heading", 2, "a-part-more", 7],
      ["paragraph", 0, undefined, 10],
    ]);
  });

  it("shows roles, links, substitutions and notes as the page does", async () => {
    expect(
      await text(
        ".. _intro:",
        "",
        "Intro",
        "=====",
        "",
        ":class:`~a.b.C`, :func:`go`, :ref:`the start <intro>`, :ref:`intro`, :doc:`Guide </guide>`, `site <https://x.org>`_,",
        "|name|, ``a\\b``, \\*plain\\*, **strong** [#]_.",
        "",
        ".. |name| replace:: the *name*",
        ".. [#] A note.",
        ".. a comment",
      ),
    ).toBe(
      "# Intro\n\n`C`, `go()`, the start, Intro, Guide, site,\nthe *name*, `a\\b`, *plain*, **strong** [^#].\n\n[^#]: A note.".replace(
        "*plain*,",
        "*plain*,",
      ),
    );
  });

  it("reads code, admonitions, functions with their fields, and definitions of any indentation", async () => {
    expect(
      await text(
        ".. code-block:: python",
        "   :caption: a.py",
        "",
        "   def f():",
        "       return ``1``",
        "",
        "Run it::",
        "",
        "    $ go",
        "      on",
        "",
        ".. note:: Mind this",
        "   line.",
        "",
        ".. function:: go(*args, **more)",
        "",
        "   Goes.",
        "",
        "   :param args: what to take",
        "",
        "one",
        "  the first",
        "",
        "two",
        "    the second",
      ),
    ).toBe(
      [
        "a.py",
        "```python\ndef f():\n    return ``1``\n```",
        "Run it:",
        "```\n$ go\n  on\n```",
        "Note",
        "Mind this\nline.",
        "`go(*args, **more)`",
        "Goes.",
        "Parameter args: what to take",
        "one",
        "the first",
        "two",
        "the second",
      ].join("\n\n"),
    );
  });

  it("reads drawn tables, lists as tables and comma-separated ones", async () => {
    const table = "| A | B |\n| --- | --- |\n| 1 | 2, 3 |";
    expect(
      await text(
        "+---+------+",
        "| A | B    |",
        "+===+======+",
        "| 1 | 2, 3 |",
        "+---+------+",
        "",
        "== ====",
        "A  B",
        "== ====",
        "1  2, 3",
        "== ====",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - A",
        "     - B",
        "   * - 1",
        "     - 2, 3",
        "",
        ".. csv-table::",
        "   :header: A, B",
        "",
        '   1, "2, 3"',
      ),
    ).toBe([table, table, table, table].join("\n\n"));
  });

  it("knows what conf.py says of all pages, and reads tables from files", async () => {
    const source = [
      "Go",
      "==",
      "",
      "|prod| |release| of |maker|.",
      "",
      ".. csv-table:: Ages",
      "   :file: t.csv",
      "   :header-rows: 1",
      "",
      ".. csv-table:: Gone",
      "   :file: gone.csv",
      "",
      ".. versionadded:: 2.0",
      "   The ``retry`` option.",
      "",
      ".. confval:: timeout",
      "   :default: 30",
      "",
      "   Seconds to wait.",
      "",
      ".. grid:: 2",
      "",
      "   .. grid-item-card:: One",
      "",
      "      In the card.",
      "",
      ".. |maker| replace:: this page",
    ].join("\n");
    const { text: shown, warnings } = await readFilePage("a/b.rst", source, {
      "conf.py":
        'release = "3.1"\nrst_prolog = """\n.. |prod| replace:: The Database\n.. |maker| replace:: nobody\n"""\n',
      "a/t.csv": "Name,Age\nzoe,41\n",
    });
    expect(shown).toBe(
      [
        "# Go",
        "The Database 3.1 of this page.",
        "Ages",
        "| Name | Age |\n| --- | --- |\n| zoe | 41 |",
        "Gone",
        "Added in version 2.0:",
        "The `retry` option.",
        "`timeout`",
        "Default: 30",
        "Seconds to wait.",
        "One",
        "In the card.",
      ].join("\n\n"),
    );
    expect(warnings).toEqual(["a/b.rst:10: takes in gone.csv, which is not there; its text is missing."]);
  });

  it("takes in files of the project, and says which are not there", async () => {
    const page =
      ".. include:: b.rst\n\n.. literalinclude:: c.py\n   :lines: 2-3\n\n.. include:: ../../../../etc/passwd\n\n.. toctree::\n\n   b\n";
    const files = { "b.rst": "From b.\n\n.. include:: b.rst\n", "c.py": "a = 1\nb = 2\nc = 3\n" };
    const { text: whole, warnings, leftOut } = await readFilePage("a.rst", page, files);
    expect(whole).toContain("From b.");
    expect(whole).toContain("```py\nb = 2\nc = 3\n```");
    expect(warnings.at(-1)).toBe("a.rst:6: takes in ../../../../etc/passwd, which is not there; its text is missing.");
    expect(leftOut.counts()).toHaveProperty("navigation");
  });

  it.each([
    ["lists within lists", Array.from({ length: 400 }, (_, i) => `${" ".repeat(i * 2)}- a\n`).join("\n")],
    ["marks that are not closed", "*a `b ``c **d |e ".repeat(300)],
  ])(
    "ends at %s",
    async (_, hostile) => {
      await readFilePage("a.rst", hostile).then(
        ({ text: read }) => expect(read).toContain("a"),
        (error: Error) => expect(error.message).toMatch(/a\.rst|call stack/),
      );
    },
    70_000,
  );
});
