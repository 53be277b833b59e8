import { type Content, html, type Markup } from "@rag-ft/page";

/** A part of the report. */
export interface Section {
  id: string;
  title: string;
  content: Content;
}

export function renderSection({ id, title, content }: Section): Markup {
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${content}
</section>`;
}

/** Says that something is not there, and how to get it. */
export function missing(what: string, how: Content): Markup {
  return html`<p class="missing"><strong>${what}</strong> ${how}</p>`;
}
