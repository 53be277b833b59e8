import { describe, expect, it } from "vitest";
import { readTextPage } from "../../testing/read-text-page.js";

const text = async (content: string, name = "a.md", files = {}): Promise<string> =>
  (await readTextPage(name, content, files)).text;

describe("CommonMark decides", () => {
  it("what is a comment: one with a fence in it goes whole", async () => {
    const page = await readTextPage(
      "a.md",
      "# Keys\n\nTurn twice.\n\n<!-- old:\n```sh\nopen --door 7\n```\n-->\n\nThen wait.",
    );
    expect(page.text).toBe("# Keys\n\nTurn twice.\n\nThen wait.");
    expect(page.leftOut.counts()).toEqual({ comments: 1 });
  });

  it("what is a fence: a shorter one within a longer, and one in a list without its indent", async () => {
    const nested = "````md\n```js\na_b()\n```\n````";
    expect(await text(nested)).toBe(nested);
    expect(await text("- Run:\n\n  ```sh\n  go\n    on\n  ```\n- Stop.")).toBe(
      "- Run:\n\n```sh\ngo\n  on\n```\n\n- Stop.",
    );
  });

  it("that escapes and entities are marks of the source, not of the text", async () => {
    expect(await text("Set \\_my\\_name\\_ to 1 \\* 2 &lt; 3 &amp; more in `a\\_b`.")).toBe(
      "Set _my_name_ to 1 * 2 < 3 & more in `a\\_b`.",
    );
  });
});

describe("inline", () => {
  it("links are their words, identifiers stay whole, images in a sentence say what they show", async () => {
    expect(await text("See [the **guide** to `x_y`](https://e.org/a_(b)) and un*frigging*believable f**oo**.")).toBe(
      "See the **guide** to `x_y` and unfriggingbelievable foo.",
    );
    expect(await text("Press ![the gear](gear.svg) now.\n\n![badge](b.svg) ![other](c.svg)")).toBe(
      "Press the gear now.",
    );
  });

  it("HTML is read as a browser shows it", async () => {
    expect(
      await text(
        "Line<br>break, <kbd>Ctrl</kbd>, <code>a_b</code>, <span style='display:none'>ghost</span>end.\n\n<details>\n<summary>More</summary>\n\nInside *it*.\n\n</details>",
      ),
    ).toBe("Line\nbreak, Ctrl, `a_b`, end.\n\nMore\n\nInside *it*.");
    expect(await text("<div hidden>\n\nNot for you.\n\n</div>\n\nFor you.")).toBe("For you.");
    expect(await text("<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>")).toBe(
      "| A | B |\n| --- | --- |\n| 1 | 2 |",
    );
  });

  it("inline data does not become text", async () => {
    const page = await readTextPage(
      "a.md",
      `The map ![of the park](data:image/png;base64,${"iVBORw0KGgo".repeat(9000)}) has a lake.`,
    );
    expect(page.text).toBe("The map of the park has a lake.");
  });
});

describe("front matter", () => {
  it.each([
    ["---\ntitle: Yam\ndescription: Root\n---\nText"],
    ['+++\ntitle = "Yam"\ndescription = "Root"\n+++\nText'],
    ['{\n  "title": "Yam",\n  "description": "Root"\n}\nText'],
  ])("%j", async (content) => {
    const { page, text: body, blocks } = await readTextPage("a.md", content);
    expect(page).toMatchObject({ title: "Yam", metadata: { description: "Root" } });
    expect(body).toBe("Text");
    expect(blocks[0]?.lines?.[0]).toBe(content.split("\n").length);
  });
});

describe("VitePress and Docusaurus", () => {
  it("containers keep their title, or their kind; ids of headings are anchors", async () => {
    const page = await readTextPage(
      "a.md",
      "## Setup {#set-up}\n\n::: warning Mind the gap\nStep over it.\n:::\n\n:::tip\n\nUse the *lift*.\n\n:::\n\n> [!NOTE]\n> It is slow.\n\n[[toc]]",
    );
    expect(page.text).toBe(
      "## Setup\n\n**Mind the gap**\n\nStep over it.\n\n**Tip**\n\nUse the *lift*.\n\n**Note**\n\nIt is slow.",
    );
    expect(page.blocks[0]).toMatchObject({ anchor: "set-up", headings: ["Setup"] });
  });

  it("code has its language alone, after the name of its file", async () => {
    expect(await text('```ts{1,3} title="src/a.ts"\nx();\n```\n\n```js:line-numbers [b.js]\ny();\n```')).toBe(
      "src/a.ts\n\n```ts\nx();\n```\n\nb.js\n\n```js\ny();\n```",
    );
  });

  it("MDX keeps what is in components and loses programs", async () => {
    const mdx = [
      'import Tabs from "@theme/Tabs";',
      "",
      "export const size = 3;",
      "",
      "# Disks {#disks}",
      "",
      "{/* a remark */}",
      "<!-- another -->",
      "",
      '<Tabs groupId="os">',
      '<TabItem value="l" label="Linux">',
      "",
      "Mount **it** with `{size}`.",
      "",
      "</TabItem>",
      "</Tabs>",
      "",
      'Seen by <Badge text="all" /> of <b>us</b>: {"literally"} {size}.',
      "",
      "<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>",
    ].join("\n");
    for (const name of ["a.mdx", "a.md"]) {
      const page = await readTextPage(name, mdx);
      expect(page.text).toBe(
        "# Disks\n\n**Linux**\n\nMount **it** with `{size}`.\n\nSeen by all of us: literally .\n\n| a | b |\n| --- | --- |",
      );
      expect(page.blocks[0]?.anchor).toBe("disks");
      expect(page.warnings).toEqual([]);
    }
  });

  it("MDX may have comments of HTML, and shows files that are imported as text", async () => {
    const { text, warnings } = await readTextPage(
      "a.mdx",
      `import source from "!!raw-loader!./demo.js";

<Steps>
1. First
</Steps>
<!-- a comment -->

<CodeBlock language="js" title="demo.js">{source}</CodeBlock>

<CodeBlock language="bash">
{\`npm run build
npm run serve\`}
</CodeBlock>
`,
      { "demo.js": "go();\n" },
    );
    expect(warnings).toEqual([]);
    expect(text).toBe("1. First\n\n**demo.js**\n\n```js\ngo();\n```\n\n```bash\nnpm run build\nnpm run serve\n```");
  });

  it("what is no MDX is read as Markdown, and said to be none", async () => {
    const page = await readTextPage("a.mdx", 'import X from "./x";\n\nIf 3 <5 then go <X>on</X>.');
    expect(page.text).toBe("If 3 <5 then go on.");
    expect(page.warnings.join()).toContain("not valid MDX");
    expect((await readTextPage("a.md", "If 3 <5 then go.")).warnings).toEqual([]);
  });

  it("a part of MDX is taken in where it is shown", async () => {
    const mdx = 'import Part from "./_part.mdx";\n\nBefore.\n\n<Part />\n\nAfter.';
    expect(await text(mdx, "a.mdx", { "_part.mdx": "Shared *words*." })).toBe("Before.\n\nShared *words*.\n\nAfter.");
    const { warnings } = await readTextPage("a.mdx", mdx);
    expect(warnings).toEqual(["5: takes in ./_part.mdx, which is not there; its text is missing."]);
  });
});

describe("Hugo", () => {
  it("marks of templates go, what they hold and show stays; in code they are code", async () => {
    expect(
      await text(
        '{{< callout type="note" title="Mind" >}}\nKeep **dry**.\n{{< /callout >}}\n\nSee [pipes]({{< ref "pipes.md" >}}) and {{% param "x" %}} too.\n\n`{{< ref >}}`\n\n{{< tab "Debian" >}}\nA.\n{{< /tab >}}',
      ),
    ).toBe("**Mind**\n\nKeep **dry**.\n\nSee pipes and  too.\n\n`{{< ref >}}`\n\n**Debian**\n\nA.");
  });
});

describe("mdBook", () => {
  const files = {
    "part.md": "Line one.\n\nLine *two*.\n",
    "main.rs": "// ANCHOR: m\nfn main() {}\n// ANCHOR_END: m\nfn other() {}\n",
  };

  it("takes in files, whole, by lines and by name", async () => {
    expect(await text("{{#include part.md}}", "a.md", files)).toBe("Line one.\n\nLine *two*.");
    expect(await text("{{#include part.md:3}}", "a.md", files)).toBe("Line *two*.");
    expect(await text("```rust,ignore\n{{#rustdoc_include main.rs:m}}\n```", "a.md", files)).toBe(
      "```rust\nfn main() {}\n```",
    );
  });

  it("tells of a file that is not there", async () => {
    const page = await readTextPage("a.md", "One.\n\n{{#include none.md}}\n");
    expect(page.text).toBe("One.");
    expect(page.warnings).toEqual(["3: takes in none.md, which is not there; its text is missing."]);
  });
});

describe("MkDocs", () => {
  it("reads what is indented after a container's mark as Markdown", async () => {
    expect(
      await text(
        '!!! warning "Hot"\n    Do not touch:\n\n    ```sh\n    touch stove\n    ```\n\n    - ever\n\n=== "C"\n\n    Use `gcc`.\n\nDone.',
      ),
    ).toBe("**Hot**\n\nDo not touch:\n\n```sh\ntouch stove\n```\n\n- ever\n\n**C**\n\nUse `gcc`.\n\nDone.");
  });
});

describe("time", () => {
  it("and lines are kept where a paragraph is too long to be parsed, whatever is around", async () => {
    const long = "word *and* ".repeat(4000).trim();
    const page = await readTextPage("a.md", `# A\n\n*One*.\n\n## B\n${long}\n\nTwo.\n\n${long}`);
    expect(page.blocks[0]).toMatchObject({ kind: "heading", lines: [1, 1] });
    expect(page.blocks.find(({ start }) => page.text.startsWith("Two.", start))).toMatchObject({ lines: [8, 8] });
    expect(page.blocks.at(-1)).toMatchObject({ lines: [10, 10], headings: ["A", "B"] });
    expect(page.text.match(/\*and\*/g)).toHaveLength(8000);
  });

  const hostile = {
    stars: "*a* ".repeat(60_000),
    links: "[a](b".repeat(50_000),
    brackets: "[".repeat(100_000),
    tags: "<a <b ".repeat(50_000),
    braces: "{{< ".repeat(50_000),
    quotes: `${">".repeat(20_000)} a`,
    line: "word ".repeat(400_000),
    backticks: Array.from({ length: 700 }, (_, i) => `${"`".repeat(i + 1)}a`).join(""),
    rows: `|a|\n|-|\n${"|".repeat(100_000)}`,
  };
  it.each(Object.entries(hostile))("of %s grows with the length", async (_, content) => {
    const start = performance.now();
    await readTextPage("a.md", content).catch((error: unknown) => expect(error).toBeInstanceOf(RangeError));
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
