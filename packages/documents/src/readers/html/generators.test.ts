import { describe, expect, it } from "vitest";
import { readTextPage } from "../../testing/read-text-page.js";

// Pages as the generators write them, each with what was once lost or spoilt in it.

const text = async (body: string): Promise<string> => (await readTextPage("a.html", body)).text;

describe("Docusaurus", () => {
  const page = `<html><head><title>Backups | Tool</title></head><body><nav class="navbar">Docs Blog</nav><main><article>
    <div class="theme-doc-markdown markdown"><header><h1>Backups</h1></header>
    <h2 class="anchor anchorWithStickyNavbar_x" id="plan">Making a plan<a href="#plan" class="hash-link" aria-label="Direct link to Making a plan">&#8203;</a></h2>
    <div class="language-sh codeBlockContainer_y"><div class="codeBlockContent_z"><pre tabindex="0" class="prism-code language-sh"><code class="codeBlockLines_q"><span class="token-line"><span class="token plain">tool plan new</span><br></span><span class="token-line"><span class="token plain">tool plan run</span><br></span></code></pre>
    <div class="buttonGroup"><button type="button" aria-label="Copy code">Copy</button></div></div></div>
    <div class="tabs-container"><ul role="tablist"><li role="tab">Debian</li><li role="tab">macOS</li></ul><div>
    <div role="tabpanel"><p>Use the package.</p></div><div role="tabpanel" hidden><p>Use the disk image.</p></div></div></div></div>
    <footer><a href="https://git.example.org/tool/edit/main/docs/backups.md">Edit this page</a></footer></article>
    <nav class="pagination-nav"><a href="/next">Next: Restore</a></nav></main><footer>Imprint</footer></body></html>`;

  it("keeps headings, lines of code and the panels of tabs, each after its label", async () => {
    const read = await readTextPage("a.html", page);
    expect(read.text).toBe(
      "# Backups\n\n## Making a plan\n\n```sh\ntool plan new\ntool plan run\n```\n\nDebian\n\nUse the package.\n\nmacOS\n\nUse the disk image.",
    );
    expect(read.page.title).toBe("Backups");
    expect(read.blocks.map(({ anchor }) => anchor)).toContain("plan");
  });

  it("counts what it leaves out by kind", async () => {
    const { leftOut } = await readTextPage("a.html", page);
    expect(leftOut.counts()).toEqual({
      "parts outside of the main part": 2,
      navigation: 1,
      "links to the page's source": 1,
      buttons: 1,
      "links to a heading": 1,
    });
    expect(leftOut.parts.find(({ kind }) => kind === "buttons")?.text).toBe("Copy");
  });
});

describe("Doxygen", () => {
  it("keeps code whose lines are blocks as code, without their numbers and the boxes that show at the mouse", async () => {
    const line = (number: number, code: string): string =>
      `<div class="line"><a id="l0000${number}" name="l0000${number}"></a><span class="lineno">    ${number}</span>${code}</div>\n`;
    const page = `<body><div class="contents"><p>See:</p><div class="fragment">${line(1, "<span>int</span> f() {")}${line(2, " ")}${line(3, "  <span>return</span> <span>4</span>;")}${line(4, "}")}
      <div class="ttc" id="a1"><div class="ttname">f</div></div></div></div></body>`;
    expect(await text(page)).toBe("See:\n\n```\nint f() {\n\n  return 4;\n}\n```");
    expect(await text('<main><div class="fragment"><div class="line"><span>2</span> + 2</div></div></main>')).toBe(
      "```\n2 + 2\n```",
    );
    expect(await text('<main><div><div class="line">A.</div><p>B.</p></div></main>')).toBe("A.\n\nB.");
  });
});

describe("rustdoc", () => {
  it("keeps types that are signs, and nothing of what stood before a link to the source", async () => {
    const page =
      '<main><h4 class="code-header">fn run() -&gt; Result&lt;<a class="primitive" href="../primitive.unit.html">()</a>, <a href="e.html">Error</a>&gt;<a href="#run" class="anchor">§</a></h4>' +
      '<span class="rightside"><span class="since">1.0.0</span> · <a class="src" href="../src/a.rs.html#1-2">Source</a></span><p>Runs.</p></main>';
    expect(await text(page)).toBe("#### fn run() -> Result<(), Error>\n\n1.0.0\n\nRuns.");
  });
});

describe("TypeDoc", () => {
  it("leaves out the breadcrumb and the index of members, and sets flags apart from names", async () => {
    const read = await readTextPage(
      "a.html",
      `<body><div class="col-content"><ul class="tsd-breadcrumb" aria-label="Breadcrumb"><li><a href="../m.html">rows</a></li><li><a href="">Row</a></li></ul>
       <h1>Interface Row</h1><div class="tsd-index-list"><a href="#id"><svg></svg><span>id</span></a>
       <a href="#make">make</a> <a href="#drop">drop</a></div><h3 id="id"><code class="tsd-tag">Optional</code><span>id</span></h3><p>Its name.</p>
       <ul><li><code class="tsd-tag">Optional</code>_size: number</li></ul></div></body>`,
    );
    expect(read.text).toBe("# Interface Row\n\n### `Optional` id\n\nIts name.\n\n- `Optional` _size: number");
    expect(read.leftOut.counts()).toMatchObject({ navigation: 1, "tables of contents": 1 });
  });
});

describe("MkDocs", () => {
  it("leaves out the number of a single line", async () => {
    const page =
      '<main><table class="highlighttable"><tr><td class="linenos"><div class="linenodiv"><pre><span class="normal">1</span></pre></div></td>' +
      '<td class="code"><div><pre><code>run()</code></pre></div></td></tr></table></main>';
    expect(await text(page)).toBe("```\nrun()\n```");
    expect(await text("<main><table><tr><th>Rows</th><td><code>1</code></td></tr></table></main>")).toContain("1");
  });
});

describe("what the style sheet sets apart", () => {
  it("stays apart: badges after a name, a sign before a title; within code nothing is added", async () => {
    expect(await text('<main><h1>Variable uuid<code class="tsd-tag">Const</code></h1><p>Text.</p></main>')).toBe(
      "# Variable uuid `Const`\n\nText.",
    );
    expect(await text('<main><h2>useRows<span class="VPBadge tip">new</span></h2><p>Text.</p></main>')).toContain(
      "## useRows new",
    );
    expect(await text('<main><h2><span>📄️</span><span class="title">Rows</span></h2><p>Text.</p></main>')).toContain(
      "## 📄️ Rows",
    );
    expect(
      await text(
        '<main><p>Many <span>row</span><span>s</span>, <code>a<span class="hljs-tag">b</span></code>.</p></main>',
      ),
    ).toBe("Many rows, `ab`.");
  });

  it("a list of two links that repeats headings goes, one that says more stays", async () => {
    const page = (list: string): Promise<string> =>
      text(`<main>${list}<h2 id="a">Make rows</h2><p>One.</p><h2 id="b">Drop rows</h2><p>Two.</p></main>`);
    expect(await page('<ul><li><a href="#a">Make rows</a></li><li><a href="#b">Drop rows</a></li></ul>')).toMatch(
      /^## Make rows/,
    );
    expect(
      await page('<ul><li><a href="#a">Make rows</a></li><li><a href="#b">How to drop them</a></li></ul>'),
    ).toMatch(/^- Make rows/);
  });

  it("so does a row parted by bars, with a page beside this one in it, when it repeats a heading", async () => {
    const page = (row: string): Promise<string> =>
      text(`<div class="summary">${row}</div><h2><a name="f"></a>Public Functions</h2><p>One.</p>`);
    const beside = '<a href="a-members.html">List of all members</a> &#124;';
    expect(await page(`${beside} <a href="#f">Public Functions</a>`)).toBe("## Public Functions\n\nOne.");
    expect(await page(`${beside} <a href="#f">How to call them</a>`)).toContain("List of all members");
    expect(await page(`${beside} or <a href="#f">Public Functions</a>`)).toContain("List of all members");
  });
});

describe("Sphinx", () => {
  it("gives code without <code> its language and no escapes, and a signature its anchor", async () => {
    const read = await readTextPage(
      "a.html",
      `<div role="main"><section id="io"><h1>Input<a class="headerlink" href="#io" title="Link to this heading">¶</a></h1>
       <p>Call <code class="xref py"><span class="pre">load_all_rows()</span></code> or set <em>max_row_count</em> to 1*2.</p>
       <div class="highlight-python notranslate"><div class="highlight"><pre><span></span><span class="k">def</span> <span class="nf">load_all</span><span class="p">(</span><span class="o">*</span><span class="n">paths_</span><span class="p">):</span>
    <span class="k">return</span> <span class="n">paths_</span><span class="p">[</span><span class="mi">0</span><span class="p">]</span>
</pre></div></div>
       <dl class="py function"><dt class="sig" id="io.load_all_rows"><span class="pre">io.load_all_rows</span>(<em>path</em>, <em>*</em>, <em>max_row_count=None</em>)<a class="headerlink" href="#io.load_all_rows">¶</a></dt>
       <dd><p>Reads rows.</p></dd></dl></section></div>`,
    );
    expect(read.text).toBe(
      "# Input\n\nCall `load_all_rows()` or set *max_row_count* to 1*2.\n\n" +
        "```python\ndef load_all(*paths_):\n    return paths_[0]\n```\n\n" +
        "io.load_all_rows(path, *, max_row_count=None)\n\nReads rows.",
    );
    expect(read.blocks.find(({ kind }) => kind === "term")?.anchor).toBe("io.load_all_rows");
    expect(read.blocks[0]?.anchor).toBe("io");
  });

  it("leaves line numbers beside code out", async () => {
    const table = `<main><table class="highlighttable"><tr><td class="linenos"><div><pre><span>1</span>\n<span>2</span></pre></div></td>
      <td class="code"><div class="highlight"><pre>a = 1\nb = 2</pre></div></td></tr></table></main>`;
    expect(await text(table)).toBe("```\na = 1\nb = 2\n```");
  });
});

describe("Javadoc", () => {
  it("has sections in lists, which are no lists to a reader", async () => {
    const read = await readTextPage(
      "a.html",
      `<main role="main"><h1 class="title">Class Jar</h1><ul class="details-list"><li><section class="method-details" id="method-detail"><h2>Methods</h2>
       <ul class="member-list"><li><section class="detail" id="fill(int)"><h3>fill</h3><div class="member-signature"><span class="return-type">void</span>&nbsp;<span>fill</span>&#8203;(int&nbsp;litres)</div>
       <pre>
 
   jar.fill(2);
 </pre><dl class="notes"><dt>Parameters:</dt><dd><code>litres</code> - how many</dd></dl></section></li></ul></section></li></ul></main>`,
    );
    expect(read.text).toBe(
      "# Class Jar\n\n## Methods\n\n### fill\n\nvoid fill(int litres)\n\n```\n   jar.fill(2);\n```\n\nParameters:\n\n`litres` - how many",
    );
    expect(read.blocks.map(({ anchor }) => anchor).filter(Boolean)).toEqual(["method-detail", "fill(int)"]);
  });
});

describe("help centres and hand-made pages", () => {
  it("keep questions in buttons, notes in asides, closed details, labels of forms", async () => {
    const made = await text(`<main><h1>Help</h1>
      <h2><button aria-expanded="false" aria-controls="a1">Where is my parcel?</button></h2><div id="a1" hidden><p>With the carrier.</p></div>
      <aside class="note"><p class="title" aria-hidden="true">Mind</p><p>Parcels sleep on Sundays.</p></aside>
      <details><summary>Customs</summary><p>Paid by the receiver.</p></details>
      <form><label>Number of the parcel <input value="x1"></label><p>It has nine digits.</p></form>
      <dl><dt>Depot</dt><dd>A place for parcels.</dd></dl></main>`);
    for (const part of [
      "## Where is my parcel?\n\nWith the carrier.",
      "Mind\n\nParcels sleep on Sundays.",
      "Customs\n\nPaid by the receiver.",
      "Number of the parcel\n\nIt has nine digits.",
      "Depot\n\nA place for parcels.",
    ]) {
      expect(made).toContain(part);
    }
    expect(made).not.toContain("x1");
  });

  it("keep all articles when no part is named the main one", async () => {
    const articles = [1, 2, 3]
      .map((n) => `<article><h2>Release ${n}</h2><p>Change number ${n}.</p></article>`)
      .join("\n");
    expect(await text(`<body><header>Brand</header>${articles}<footer>All rights</footer></body>`)).toBe(
      "## Release 1\n\nChange number 1.\n\n## Release 2\n\nChange number 2.\n\n## Release 3\n\nChange number 3.",
    );
  });

  it("lose what nobody sees and what frames a site", async () => {
    const read = await readTextPage(
      "a.html",
      `<body><a href="#content" class="sr-only">Skip to content</a><div id="cookie-banner"><p>We use cookies.</p><button>Fine</button></div>
       <div class="links"><ul>${Array.from({ length: 8 }, (_, i) => `<li><a href="/p${i}">Chapter ${i}</a></li>`).join("")}</ul></div>
       <div><h1>Paper</h1><p>It is made of wood, as it has been for some centuries by now, in mills that stand at rivers.</p>
       <p>Sheets have sizes, of which the most used is as long as the square root of two times its width, which is how it is cut.</p>
       <p style="display: none">Draft: do not publish.</p><p hidden>Secret</p><script>track()</script><!-- later --></div></body>`,
    );
    expect(read.text).toMatch(/^# Paper\n\nIt is made[\s\S]*cut\.$/);
    expect(read.leftOut.counts()).toMatchObject({
      "hidden parts": 3,
      dialogs: 1,
      navigation: 1,
      "scripts and styles": 1,
    });
  });

  it("have their formulas as they were written, and signs of icons not at all", async () => {
    expect(
      await text(`<main><p>So <span class="katex"><span class="katex-mathml"><math><semantics><mi>E</mi><annotation encoding="application/x-tex">E=mc^2</annotation></semantics></math></span><span class="katex-html" aria-hidden="true">E=mc2</span></span> holds.
      <i class="icon-gear" aria-hidden="true">settings</i></p></main>`),
    ).toBe("So $E=mc^2$ holds.");
  });
});

describe("tables", () => {
  it("are Markdown: caption before, spans as empty cells, blocks in a cell apart", async () => {
    expect(
      await text(`<main><table><caption>Limits</caption><thead><tr><th>Plan</th><th colspan="2">Size</th></tr></thead>
        <tbody><tr><td rowspan="2">Free</td><td><p>1 GB</p><p>in all</p></td><td><code>a|b</code></td></tr><tr><td>x</td><td>y</td></tr></tbody></table></main>`),
    ).toBe("Limits\n\n| Plan | Size |  |\n| --- | --- | --- |\n| Free | 1 GB in all | `a|b` |\n|  | x | y |");
  });
});

describe("hostile pages", () => {
  const hostile = {
    "tags that are never closed": "<b><i><a><div>".repeat(30_000),
    "tags closed in the wrong order": "<b><p>".repeat(20_000) + "</b></p>".repeat(20_000),
    "deep lists": "<ul><li>".repeat(20_000),
    "a long line": `<p>${"word ".repeat(300_000)}</p>`,
    "headings within one another": "<h1><h2>".repeat(20_000),
    "many attributes": `<p ${Array.from({ length: 50_000 }, (_, i) => `a${i}=1`).join(" ")}>x</p>`,
    "wide tables": `<table>${`<tr>${"<td colspan=1000>x".repeat(200)}</tr>`.repeat(20)}</table>`,
  };
  it.each(Object.entries(hostile))("%s end in time", async (_, content) => {
    const start = performance.now();
    await readTextPage("a.html", content).catch((error: Error) => {
      if (!(error instanceof RangeError)) expect(error.message).toMatch(/^a\.html: .* Repair or leave out the file\.$/);
    });
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

describe("what the words of real pages showed", () => {
  it("leaves rustdoc's links to the source and labels of what is open out, and keeps the versions", async () => {
    const page = `<main><h1>Struct Jar</h1><span class="sub-heading"><span class="since">1.87.0</span> · <a class="src" href="../src/jar/lib.rs.html#2-8">Source</a></span>
      <details class="toggle" open><summary class="hideme"><span>Expand description</span></summary><p>Holds water.</p></details>
      <p>See the <a href="source.html">source</a> of jars.</p></main>`;
    const read = await text(page);
    expect(read).not.toMatch(/Expand|Source/);
    expect(read).toContain("1.87.0");
    expect(read).toContain("See the source of jars.");
  });

  it("parts links that only a style sheet parts, and leaves Docusaurus's button of contents out", async () => {
    const page = `<main><div class="tocCollapsible_a"><button type="button" class="clean-btn tocCollapsibleButton_b">On this page</button></div>
      <div class="links"><a href="a.html"><span>cause</span></a><a href="b.html"><span>message</span></a></div><p>Text of the page.</p></main>`;
    expect(await text(page)).toBe("cause message\n\nText of the page.");
  });

  it("keeps a part of links below the page's title, and leaves those beside the text out", async () => {
    const list = (prefix: string): string =>
      `<ul>${Array.from({ length: 12 }, (_, i) => `<li><a href="${prefix}${i}.html">${prefix}${i}</a></li>`).join("")}</ul>`;
    const { text } = await readTextPage(
      "a.html",
      `<body><div class="all"><div class="content"><div><h1>Class A</h1></div><section><h4>Hierarchy</h4>${list("Child")}</section>
<p>${"Words of the page. ".repeat(30)}</p></div><div class="side"><h4>Site</h4>${list("Other")}</div></div></body>`,
    );
    expect(text).toContain("#### Hierarchy\n\n- Child0\n- Child1");
    expect(text).not.toContain("Other");
  });

  it("leaves TypeDoc's settings and its list of what is on the page out, and keeps signatures and members", async () => {
    const box = (name: string): string =>
      `<li><label><input type="checkbox" name="${name}"/><svg width="9"></svg><span>${name}</span></label></li>`;
    const settings = `<details class="tsd-accordion"><summary><h3>Settings</h3></summary><div><div><span>Member Visibility</span><ul>${["Protected", "Inherited", "External"].map(box).join("")}</ul></div>
      <div><label for="tsd-theme">Theme</label><select id="tsd-theme"><option>OS</option><option>Light</option></select></div></div></details>`;
    const contents = `<details open><summary><h3>On This Page</h3></summary><div><details open><summary>Methods</summary><div><a href="#open">open</a><a href="#shut">shut</a><a href="#lift">lift</a></div></details></div></details>`;
    const page = `<body><div class="container"><div class="col-content"><h1>Type Alias Shape</h1><div><span>Shape</span><span>:</span> <span>{ side: T }</span></div><aside><ul><li>Defined in a.ts:9</li></ul></aside></div>
      <div class="col-sidebar"><div class="page-menu"><div>${settings}</div>${contents}</div></div></div></body>`;
    const read = await readTextPage("a.html", page);
    expect(read.text).toBe("# Type Alias Shape\n\nShape: { side: T }\n\n- Defined in a.ts:9");
    expect(read.leftOut.counts()).toMatchObject({ settings: 1, "tables of contents": 1 });
  });

  it("keeps lists of tasks and what a reader unfolds", async () => {
    const page = `<body><h1>Plan</h1><div><ul><li><label><input type="checkbox"/> Dig</label></li><li><label><input type="checkbox" checked/> Fill</label></li></ul></div>
      <details><summary>Why?</summary>See <a href="#a">one</a>, <a href="#b">two</a> and <a href="#c">three</a> for it.</details></body>`;
    const read = await text(page);
    for (const word of ["Dig", "Fill", "Why?", "three"]) expect(read).toContain(word);
  });
});
