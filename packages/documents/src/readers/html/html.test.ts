import { expect, it } from "vitest";
import { titleOf } from "../../files/cut-pages.js";
import { readTextPage } from "../../testing/read-text-page.js";

it("takes title, description and main content, without navigation and scripts", async () => {
  const page = `<!doctype html><html><head><title>The  page</title><meta name="description" content="About it">
    <style>p { color: red }</style></head><body>
    <header>Site</header><nav><a href="/">Home</a></nav>
    <main><header><h1>Heading<a class="headerlink" href="#h">#</a></h1></header>
    <p>First <code>a &lt; b</code> &amp; <b>bold</b>.</p><script>track()</script>
    <ul><li>one</li><li>two</li></ul>
    <pre><code class="language-js">const a = 1;
const b = 2;</code></pre>
    <table><thead><tr><th>Name</th><th>Value</th></tr></thead><tbody><tr><td>x</td><td>1</td></tr></tbody></table>
    </main><aside>Ads</aside><footer>Imprint</footer></body></html>`;
  const { text, page: read } = await readTextPage("a.html", page);
  expect(read).toMatchObject({ title: "The page", metadata: { description: "About it" } });
  expect(text).toMatch(/^# Heading\n\nFirst `a < b` & \*\*bold\*\*\./);
  expect(text).toMatch(/^- +one\n- +two$/m);
  expect(text).toContain("```js\nconst a = 1;\nconst b = 2;\n```");
  expect(text).toMatch(/^\| Name \| Value \|\n\| --- \| --- \|\n\| x +\| 1 +\|$/m);
  expect(text).not.toMatch(/Site|Home|track|Ads|Imprint|color|#h/);
});

it("takes the body when nothing names the main part, and the first heading when there is no title", async () => {
  const read = await readTextPage(
    "b.html",
    "<header>Site</header><h1>Only <i>this</i></h1><p>Text.</p><footer>End</footer>",
  );
  const { text } = read;
  expect(titleOf(read.page, read)).toBe("Only this");
  expect(text).toBe("# Only *this*\n\nText.");
});

it("gives an empty text for a page without content", async () => {
  expect((await readTextPage("c.html", "<html><body><script>x</script></body></html>")).text).toBe("");
});
