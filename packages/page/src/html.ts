const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text as it stands in HTML, in an element or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** HTML that is safe to put into a page: made by `html`, or vouched for with `markup`. */
export class Markup {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

/** Takes a text for HTML as it is. Never for anything that comes from data. */
export function markup(text: string): Markup {
  return new Markup(text);
}

/** What may stand between the tags of a template; `false`, `undefined` and `null` leave nothing. */
export type Content = Markup | string | number | false | undefined | null | readonly Content[];

function render(content: Content): string {
  if (content === false || content === undefined || content === null) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "object") return content.map(render).join("");
  return escapeHtml(String(content));
}

/** Template of HTML. Every value put in is escaped, unless it is itself made by `html`; attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...contents: Content[]): Markup {
  return new Markup(strings.map((text, i) => text + (i < contents.length ? render(contents[i]) : "")).join(""));
}
