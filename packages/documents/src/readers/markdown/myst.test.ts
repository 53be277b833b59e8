import { describe, expect, it } from "vitest";
import { readTextPage } from "../../testing/read-text-page.js";

describe("MyST", () => {
  it("reads directives as Markdown, and leaves fences that are none as code", async () => {
    const { text, leftOut, blocks } = await readTextPage(
      "a.md",
      `# Page

\`\`\`\`{tab-set}
\`\`\`{tab-item} Linux
Run *this*.
\`\`\`
\`\`\`\`

\`\`\`{note}
:class: dropdown
A [link](https://x.org) in a note.
\`\`\`

\`\`\`{admonition} Mind
---
class: tip
---
The gap.
\`\`\`

\`\`\`{list-table} Sizes
:header-rows: 1

* - Name
  - Value
* - rows
  - 5000
\`\`\`

\`\`\`{code-block} python
:linenos:
x = 1
\`\`\`

\`\`\`{python}
y = 2
\`\`\`

\`\`\`{figure} a.png
:name: fig
The caption.
\`\`\`

\`\`\`{toctree}
other
\`\`\`

:::{tip}
:class: wide
A tip.
:::
`,
    );
    expect(text).toBe(
      [
        "# Page",
        "**Linux**",
        "Run *this*.",
        "**Note**",
        "A link in a note.",
        "**Mind**",
        "The gap.",
        "**Sizes**",
        "| Name | Value |\n| --- | --- |\n| rows | 5000 |",
        "```python\nx = 1\n```",
        "```python\ny = 2\n```",
        "The caption.",
        "**Tip**",
        "A tip.",
      ].join("\n\n"),
    );
    expect(leftOut.counts().navigation).toBe(1);
    expect(blocks.find(({ start, end }) => text.slice(start, end).startsWith("A link"))?.lines?.[0]).toBe(11);
  });

  it("shows roles as the page does, and no targets", async () => {
    const { text } = await readTextPage(
      "a.md",
      "(start)=\n# Start\n\nSee {ref}`the start <start>`, {doc}`guide`, {py:func}`open` and {abbr}`RAG (retrieval)`; {id}`x` stays.\n",
    );
    expect(text).toBe("# Start\n\nSee the start, guide, `open` and RAG (retrieval); {id}`x` stays.");
  });
});
