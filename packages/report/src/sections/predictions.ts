import { html } from "@rag-ft/page";
import type { PredictionData } from "../prediction-data.js";
import { missing, type Section } from "./section.js";

/** The controls of the table of predictions. `assets/predictions.js` fills it from the page's data, a page at a time. */
export function predictionsSection(data: PredictionData | undefined): Section {
  const title = "Predictions";
  if (!data) {
    const how = html`They are in <code>test-predictions.jsonl</code>, which <code>test-e2e</code> writes.`;
    return { id: "predictions", title, content: missing("No predictions.", how) };
  }
  const { systems, tuned, base } = data;
  const has = (key: "verdict" | "label"): boolean =>
    data.questions.some(({ by }) => by.some((answer) => answer?.[key]));
  const judges = [...(has("label") ? ["labelled"] : []), ...(has("verdict") ? ["judged"] : [])];
  const judgedBy = judges.length > 0 ? `${judges.join(" or ")} so, else` : "";
  const options = systems.map(
    (label, i) => html`<option value="${i}"${i === tuned ? html` selected` : ""}>${label}</option>`,
  );
  const content = html`<noscript><p>The table needs JavaScript; everything else on this page does not.</p></noscript>
<form id="controls" class="controls">
<label>System <select id="system">${options}</select></label>
<label>Search <input id="query" type="search" placeholder="in questions, answers, passages"></label>
<label><input id="misses" type="checkbox"> Retrieval misses</label>
<label><input id="wrong" type="checkbox"> Wrong answers</label>
<label>Wrong is ${judgedBy} ROUGE-L below <input id="limit" type="number" min="0" max="1" step="0.05" value="0.3"></label>
${
  base === null
    ? ""
    : html`<label>Against ${systems[base]} <select id="change">
<option value="">any</option>
<option value="fixed">answer became right</option>
<option value="broken">answer became wrong</option>
<option value="found">passage now retrieved</option>
<option value="lost">passage no longer retrieved</option>
</select></label>`
}
<label>Order <select id="order">
<option value="file">as in the test file</option>
<option value="worst">lowest ROUGE-L first</option>
<option value="best">highest ROUGE-L first</option>
</select></label>
<button type="reset">Reset</button>
</form>
<p id="count" role="status" class="muted"></p>
<ol id="rows" class="rows"></ol>
<nav class="pager" aria-label="Pages of predictions">
<button type="button" id="previous">Previous</button>
<span id="page"></span>
<button type="button" id="next">Next</button>
</nav>
<p class="muted">In passages and answers, <mark>words in a row that stand in the gold answer</mark> are marked.</p>`;
  return { id: "predictions", title, content };
}
