import { createHash } from "node:crypto";
import { html, type Markup, markup } from "./html.js";

export interface Page {
  title: string;
  /** Style sheets, in order. */
  styles: readonly string[];
  body: Markup;
  /** Scripts, in order, that make one module: they run when the body is there. */
  scripts: readonly string[];
  /** What the scripts read with `pageData()`. */
  data?: unknown;
  /** Sources that scripts may connect to; nothing when left out. */
  connect?: "'self'";
}

/** A value as JSON that cannot end the script element it stands in, nor open another. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value ?? null)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

function sourceHash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/**
 * A whole HTML document with everything in it. Its content security policy lets it load nothing, and run no script but its own: a
 * slip in escaping would still not run what comes from data.
 */
export function renderPage({ title, styles, body, scripts, data, connect }: Page): string {
  const script = scripts.join("\n");
  const policy = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src data:",
    `script-src ${sourceHash(script)}`,
    `connect-src ${connect ?? "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>
${markup(styles.join("\n"))}
</style>
</head>
<body>
${body}
<script type="application/json" id="page-data">${markup(scriptJson(data))}</script>
<script type="module">${markup(script)}</script>
</body>
</html>
`;
  return page.text;
}
