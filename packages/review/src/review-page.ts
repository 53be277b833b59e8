import { readFile } from "node:fs/promises";
import { html, readPageScript, readTheme, renderPage } from "@rag-ft/page";
import type { ReviewData } from "./review-data.js";

const readAsset = (name: string): Promise<string> => readFile(new URL(`../assets/${name}`, import.meta.url), "utf8");

/** The page that shows one answer after the other and sends the labels. */
export async function reviewPage(data: ReviewData): Promise<string> {
  const [theme, style, pageScript, script] = await Promise.all([
    readTheme(),
    readAsset("review.css"),
    readPageScript(),
    readAsset("review.js"),
  ]);
  const body = html`<header class="top">
<h1>Review of answers</h1>
<p class="muted">Labels by ${data.labeller} go to <code>${data.file}</code> as they are given.</p>
<div class="progress"><progress id="progress" aria-label="labelled"></progress> <span id="done" role="status"></span></div>
</header>
<main>
<noscript><p>This page needs JavaScript.</p></noscript>
<div class="actions" role="group" aria-label="Label">
<button type="button" data-label="correct"><kbd>1</kbd> Correct</button>
<button type="button" data-label="incorrect"><kbd>2</kbd> Incorrect</button>
<button type="button" data-label="retrieval_fault" title="Wrong because the passages do not hold what the answer takes"><kbd>3</kbd> Retrieval fault</button>
<span class="moves">
<button type="button" id="previous"><kbd>←</kbd> Previous</button>
<button type="button" id="next"><kbd>→</kbd> Next</button>
<button type="button" id="open"><kbd>u</kbd> Next unlabelled</button>
</span>
</div>
<p id="problem" role="alert" class="problem" hidden></p>
<label class="note">Note <kbd>n</kbd> <input id="note" maxlength="2000" autocomplete="off" placeholder="kept with the label; Enter saves it"></label>
<article id="item" aria-live="polite"></article>
</main>`;
  return renderPage({
    title: "Review – rag-ft",
    styles: [theme, style],
    body,
    scripts: [pageScript, script],
    data,
    connect: "'self'",
  });
}
