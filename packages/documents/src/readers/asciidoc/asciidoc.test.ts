import { expect, it } from "vitest";
import { readFilePage } from "../../testing/read-file-pages.js";

it("reads sections, code, admonitions, definitions, tables and notes", async () => {
  const { text, blocks } = await readFilePage(
    "a.adoc",
    `= The Title
:product: Tool
:toc:

Use {product} with \`a_b\` and https://x.org[the site].footnote:[A note.]

// a comment
== First part

[source,ruby]
.app.rb
----
puts "a < b"
----

NOTE: Mind *this*.

[horizontal]
CPU:: the brain

RAM:: memory

|===
|Name |Value

|x |1
|===

. one
.. inner
. two
`,
  );
  expect(text).toBe(
    [
      "# The Title",
      "Use Tool with `a_b` and the site.[^1]",
      "## First part",
      "app.rb",
      '```ruby\nputs "a < b"\n```',
      "Note",
      "Mind **this**.",
      "CPU",
      "the brain",
      "RAM",
      "memory",
      "| Name | Value |\n| --- | --- |\n| x | 1 |",
      "1. one\n   1. inner\n2. two",
      "[^1]: A note.",
    ].join("\n\n"),
  );
  expect(blocks.find(({ kind, level }) => kind === "heading" && level === 2)?.anchor).toBe("_first_part");
});

it("takes in files of the folder, whole or by lines and tags, and no others", async () => {
  const { text, warnings } = await readFilePage(
    "a.adoc",
    `= T

include::parts/b.adoc[]

----
include::c.rb[tag=main]
include::c.rb[lines=1..2]
----

include::../../../../../../etc/passwd[]

include::/etc/hostname[]

include::https://example.org/x.adoc[]

include::gone.adoc[]

include::gone.adoc[opts=optional]

End.
`,
    {
      "parts/b.adoc": "From b.\n\ninclude::d.adoc[]\n",
      "parts/d.adoc": "From d.",
      "c.rb": "x = 0\ny = 1\n# tag::main[]\nmain\n# end::main[]\n",
    },
  );
  expect(text).toBe("# T\n\nFrom b.\n\nFrom d.\n\n```\nmain\nx = 0\ny = 1\n```\n\nEnd.");
  expect(warnings).toEqual([
    "a.adoc:10: takes in ../../../../../../etc/passwd, which is not there; its text is missing.",
    "a.adoc:12: takes in /etc/hostname, which is not there; its text is missing.",
    "a.adoc:14: takes in https://example.org/x.adoc, which is not there; its text is missing.",
    "a.adoc:16: takes in gone.adoc, which is not there; its text is missing.",
  ]);
});

it("knows Antora's names of files, and what antora.yml says of all pages", async () => {
  const { text, warnings } = await readFilePage(
    "docs/modules/ROOT/pages/sub/a.adoc",
    `= Install {product}
:edition: Small

include::partial$prereq.adoc[]

[source,yaml]
----
include::other:example$app.yaml[]
----

The {edition} one of {product}.

include::1.0@far:ROOT:partial$x.adoc[]
`,
    {
      "docs/antora.yml": "name: acme\nasciidoc:\n  attributes:\n    product: The Database\n    edition: Large\n",
      "docs/modules/ROOT/partials/prereq.adoc": "You need Java for {product}.\n\ninclude::example$b.txt[]\n",
      "docs/modules/ROOT/examples/b.txt": "From b.",
      "docs/modules/other/examples/app.yaml": "port: 9876",
    },
  );
  expect(text).toBe(
    [
      "# Install The Database",
      "You need Java for The Database.",
      "From b.",
      "```yaml\nport: 9876\n```",
      "The Small one of The Database.",
    ].join("\n\n"),
  );
  expect(warnings).toEqual([
    "docs/modules/ROOT/pages/sub/a.adoc:13: takes in 1.0@far:ROOT:partial$x.adoc, which is not there; its text is missing.",
  ]);
});

it("ends at a text that takes in itself", async () => {
  const once = await readFilePage("a.adoc", "Text.\n\ninclude::a.adoc[]\n");
  expect(once.text.match(/Text\./g)?.length).toBeLessThan(20);
  await expect(readFilePage("b.adoc", "Text.\n\ninclude::b.adoc[]\n\ninclude::b.adoc[]\n")).rejects.toThrow(
    /b\.adoc: takes in more than 1000 files/,
  );
});
