import { readFile } from "node:fs/promises";
import { ANSWER_LABELS, LABEL_TITLES, type LabelKind } from "@rag-ft/core";
import { type Content, html, type Markup, readPageScript, readTheme, renderPage } from "@rag-ft/page";
import type { ReviewData } from "./review-data.js";

const readAsset = (name: string): Promise<string> => readFile(new URL(`../assets/${name}`, import.meta.url), "utf8");

const HINTS: Readonly<Record<string, string>> = {
  retrieval_fault: "Wrong because the passages do not hold what the answer takes",
  helpful: "It is of use to who asked: to the point, whole, clear",
  harmful: "It could hurt, offend, or give away what should not be shown",
};

/** A name as it stands on a button: `retrieval_fault` → `Retrieval fault`. */
function titleOf(value: string): string {
  return `${value.charAt(0).toUpperCase()}${value.slice(1).replace("_", " ")}`;
}

/** A group of buttons a kind, their keys counted through. */
function labelGroups(asked: readonly LabelKind[]): Markup[] {
  let key = 0;
  return asked.map((kind) => {
    const buttons = ANSWER_LABELS[kind].map((value) => {
      key++;
      const hint: Content = HINTS[value] ? html` title="${HINTS[value]}"` : "";
      return html`<button type="button" data-kind="${kind}" data-label="${value}"${hint}><kbd>${key}</kbd> ${titleOf(value)}</button>
`;
    });
    return html`<span class="kind" role="group" aria-label="${titleOf(LABEL_TITLES[kind])}">${buttons}</span>`;
  });
}

/** Asks who labels; the page is then opened with the name. */
function namePage({ suggested, file }: ReviewData): Markup {
  return html`<header class="top"><h1>Review of answers</h1></header>
<main>
<noscript><p>This page needs JavaScript.</p></noscript>
<p>Labels go to <code>${file}</code> with your name. You see your own labels only, so that agreement with others means something.</p>
<form id="who" class="who">
<label for="name">Your name</label>
<input id="name" maxlength="100" value="${suggested}" autocomplete="name" required>
<button type="submit">Begin</button>
</form>
</main>`;
}

function answersPage({ labeller, file, asked }: ReviewData): Markup {
  return html`<header class="top">
<h1>Review of answers</h1>
<p class="muted">Labels by ${labeller} go to <code>${file}</code> as they are given.</p>
<div class="progress"><progress id="progress" aria-label="labelled"></progress> <span id="done" role="status"></span></div>
<details id="agreement"><summary>Agreement of reviewers</summary><ul id="agreement-lines" class="plain"></ul></details>
</header>
<main>
<noscript><p>This page needs JavaScript.</p></noscript>
<div class="actions" role="group" aria-label="Labels">
${labelGroups(asked)}
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
}

/** The page that shows one answer after the other and sends the labels; before that, one that asks who labels. */
export async function reviewPage(data: ReviewData): Promise<string> {
  const isKnown = data.labeller !== undefined;
  const [theme, style, pageScript, script] = await Promise.all([
    readTheme(),
    readAsset("review.css"),
    readPageScript(),
    readAsset(isKnown ? "review.js" : "who.js"),
  ]);
  return renderPage({
    title: "Review – rag-ft",
    styles: [theme, style],
    body: isKnown ? answersPage(data) : namePage(data),
    scripts: [pageScript, script],
    data,
    connect: "'self'",
  });
}
