// A headless Chromium by its pipe (no package needed): what a person sees of a page.
import { spawn, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { missing } from "./tools.mjs";

const TYPES = { ".html": "text/html", ".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript" };

/** Serves a folder on this machine, as sites name their style sheets from the root. */
export async function serve(folder) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    const bytes = await readFile(join(folder, path)).catch(() => undefined);
    response.writeHead(bytes ? 200 : 404, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
    response.end(bytes);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { address: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

// Runs in the page. What can be opened by a click is opened. Left out by role: navigation, search, banner, contentinfo, buttons that are no
// labels, settings of how the page is shown, and, where the page has a main part, what is outside of it, lists of links within
// the page, numbers of lines of code, and the links that each entry of an API has to its source.
const LOOK = `(() => {
  for (const e of document.querySelectorAll("details")) e.open = true;
  for (const e of document.querySelectorAll("[role=tabpanel], [hidden=until-found]")) { e.hidden = false; e.removeAttribute("hidden"); e.style.display = "block"; }
  for (const e of document.querySelectorAll("body div, body details")) if (e.querySelector("select") && e.querySelector("label input[type=checkbox]") && !e.querySelector("h1, h2, p, pre, table, form, main, nav")) e.remove();
  const away = "nav, [role=navigation], [role=search], [role=banner], [role=contentinfo], [role=menu], [aria-label=breadcrumb i], [aria-label=breadcrumbs i], noscript, dialog, select, button:not([role=tab]):not([aria-controls]):not(:is(h1,h2,h3,h4,h5,h6) > :only-child)";
  for (const e of document.querySelectorAll(away)) e.remove();
  for (const e of document.querySelectorAll("body > header, body > footer, footer")) if (!e.closest("blockquote, main section, main aside")) e.remove();
  for (const e of document.querySelectorAll("a")) if (/^\\W*(source|src|edit (this )?page.*|view (page )?source)\\W*$/i.test(e.textContent)) e.remove();
  const rows = [...document.querySelectorAll("div")].filter((e) => e.children.length > 0 && [...e.children].every((a) => a.tagName === "A"));
  const parted = (e) => rows.includes(e) && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.includes("|"));
  for (const e of [...document.querySelectorAll("ul, ol, details"), ...rows]) {
    const links = [...e.querySelectorAll("a")];
    const names = [...e.querySelectorAll("summary")].reduce((sum, name) => sum + name.innerText.replace(/\\s/g, "").length, 0);
    const rest = e.innerText.replace(/\\s/g, "").length - names - links.reduce((sum, a) => sum + a.innerText.replace(/\\s/g, "").length, 0);
    if (links.length > 1 && rest < 4 && links[parted(e) ? "some" : "every"]((a) => a.hash && a.pathname === location.pathname)) e.remove();
  }
  for (const e of document.querySelectorAll("td, pre span, summary")) if (getComputedStyle(e).userSelect === "none" && /^[\\d\\s]*$/.test(e.textContent)) e.remove();
  for (const e of document.querySelectorAll("div > div > span")) if (/^\\s*\\d+\\s*$/.test(e.textContent) && /lineno/.test(e.className)) e.remove();
  for (const e of document.querySelectorAll("li, a + a")) if (e.previousSibling?.nodeType === 1) e.before(" ");
  for (const e of document.querySelectorAll("li")) if (getComputedStyle(e).display !== "list-item" || /flex|grid/.test(getComputedStyle(e.parentElement).display)) e.prepend("\u00b7 ");
  for (const e of document.querySelectorAll("code")) {
    if (parseFloat(getComputedStyle(e).marginLeft) > 0) e.before(" ");
    if (parseFloat(getComputedStyle(e).marginRight) > 0) e.after(" ");
  }
  document.head.append(Object.assign(document.createElement("style"), { textContent: "* { text-transform: none !important; }" }));
  const mains = [...document.querySelectorAll("main, [role=main]")].filter((e) => !e.parentElement.closest("main, [role=main]"));
  const parts = mains.length > 0 ? mains : [document.body];
  const texts = (query) => parts.flatMap((part) => [...part.querySelectorAll(query)]).filter((e) => e.checkVisibility()).map((e) => e.innerText);
  return { text: parts.map((part) => part.innerText).join("\\n"), code: texts("pre"), alt: [...document.images].map((e) => e.alt).join(" "), short: texts("a, code").filter((text) => !text.includes("\\n")) };
})()`;

/** `see(address)` gives { text, alt: texts for images, code: [texts of blocks], short: [texts of links and of code in a line] }; `close()` ends the browser. */
export async function openBrowser() {
  const program = ["chromium", "chromium-browser", "google-chrome"].find(
    (name) => spawnSync(name, ["--version"]).status === 0,
  );
  if (program === undefined)
    missing("No Chromium: install it (apt install chromium), so that `chromium` can be started.");
  const child = spawn(
    program,
    ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--window-size=1400,1000"],
    {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    },
  );
  let last = 0;
  let rest = "";
  const waiting = new Map();
  let loaded = () => {};
  child.stdio[4].setEncoding("utf8").on("data", (data) => {
    const messages = (rest + data).split("\0");
    rest = messages.pop();
    for (const message of messages.map((text) => JSON.parse(text))) {
      if (message.method === "Page.loadEventFired") loaded();
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    }
  });
  const call = async (method, params = {}, sessionId = undefined) => {
    const id = ++last;
    const answer = new Promise((done) => waiting.set(id, done));
    child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await answer;
    if (error) throw new Error(`Chromium: ${method}: ${error.message}`);
    return result;
  };
  const { targetId } = await call("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
  await call("Page.enable", {}, sessionId);
  // Scripts would fetch what is not there; the style sheets say what is hidden.
  await call("Emulation.setScriptExecutionDisabled", { value: true }, sessionId);
  return {
    async see(url) {
      const done = new Promise((resolve) => {
        loaded = resolve;
      });
      await call("Page.navigate", { url }, sessionId);
      await done;
      const { result, exceptionDetails } = await call(
        "Runtime.evaluate",
        { expression: LOOK, returnByValue: true },
        sessionId,
      );
      if (exceptionDetails) throw new Error(`${url}: ${exceptionDetails.exception?.description}`);
      return result.value;
    },
    close: () => child.kill(),
  };
}
