import { readFile } from "node:fs/promises";
import { html, readPageScript, readTheme, renderPage } from "@rag-ft/page";
import type { Context } from "hono";
import type { ServerParts } from "../server-parts.js";
import type { TurnLog } from "../turns/turn-log.js";

const readAsset = (name: string): Promise<string> => readFile(new URL(`../../assets/${name}`, import.meta.url), "utf8");

export interface ChatPageParts extends Pick<ServerParts, "system" | "names"> {
  log: TurnLog;
  /** Whether the page must ask for a key. */
  asksKey: boolean;
}

/** `GET /`: the page on which people ask. It holds no passage: what is in the database is asked for with the key, where there is one. */
export function chatPage({ system, names, log, asksKey }: ChatPageParts) {
  const body = html`<header class="top">
<h1>Ask the documentation</h1>
<p class="muted"><span id="passages"></span> passages · ${names.generator}</p>
<div class="tools"><button type="button" id="new">New conversation</button></div>
</header>
<main>
<noscript><p>This page needs JavaScript.</p></noscript>
<form id="key-form" class="key" hidden>
<label for="key">This server asks for its key</label>
<input id="key" type="password" autocomplete="off" required>
<button type="submit">Use it</button>
</form>
<div id="thread" role="log" aria-live="polite" aria-label="Conversation" tabindex="0"></div>
<p id="problem" role="alert" class="problem" hidden></p>
</main>
<footer class="ask">
<form id="form">
<label for="question" class="visually-hidden">Question</label>
<textarea id="question" rows="2" placeholder="Ask a question; Enter sends, Shift+Enter starts a line" maxlength="8000" required></textarea>
<div class="buttons">
<button type="submit" id="send">Ask</button>
<button type="button" id="stop" hidden>Stop</button>
</div>
</form>
<p class="muted consent"><label><input type="checkbox" id="keep"> Keep my questions and their answers in <code>${log.path}</code> on the server, to train with. An answer that you vote on is kept there in any case.</label></p>
</footer>
<dialog id="source" aria-labelledby="source-title">
<form method="dialog"><h2 id="source-title"></h2><button type="submit" id="close" aria-label="Close">Close</button></form>
<p id="source-place"></p>
<div id="source-text" tabindex="0" role="region" aria-label="Passage"></div>
</dialog>`;
  let page: Promise<string> | undefined;
  const render = async (): Promise<string> => {
    const [theme, style, pageScript, script] = await Promise.all([
      readTheme(),
      readAsset("chat.css"),
      readPageScript(),
      readAsset("chat.js"),
    ]);
    return renderPage({
      title: "Ask – rag-ft",
      styles: [theme, style],
      body,
      scripts: [pageScript, script],
      data: { passages: system().documents.length, asksKey },
      connect: "'self'",
    });
  };
  return async (context: Context): Promise<Response> => {
    page ??= render();
    return context.html(await page);
  };
}
