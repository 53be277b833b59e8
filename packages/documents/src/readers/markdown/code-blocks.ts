import type { Code, Paragraph } from "mdast";

/** `js{1,3}`, `rust,ignore`, `{python}`, `{.js .numberLines}`, `js:line-numbers`: the name of the language alone. */
function languageOf(code: Code): string | undefined {
  const info = code.lang ?? "";
  const directive = /^\{(?:code-block|code|code-cell|sourcecode)\}$/.test(info);
  const name = /[A-Za-z][\w+#.-]*/.exec(directive ? (code.meta ?? "") : info)?.[0];
  return name === undefined || /^(?:none|text|plain|plaintext)$/i.test(name) ? undefined : name;
}

/** The file's name that many sites show above a block: ```` ```js title="src/a.js" ````. */
const TITLE = /(?:^|\s)(?:title|filename|file|caption)\s*=\s*(?:"([^"]+)"|'([^']+)')/;

/** Makes the language one word, and what a site shows above the block a line before it. */
export function resolveCode(code: Code): (Code | Paragraph)[] {
  const { meta } = code;
  const match = TITLE.exec(`${code.lang ?? ""} ${meta ?? ""}`) ?? /\s\[([^\]]+)\]\s*$/.exec(` ${meta ?? ""}`);
  const lang = languageOf(code);
  const own: Code = { ...code, lang: lang ?? null, meta: null };
  const title = match?.[1] ?? match?.[2];
  if (!title) return [own];
  const paragraph: Paragraph = {
    type: "paragraph",
    children: [{ type: "text", value: title }],
    data: { term: true },
    ...(code.position ? { position: code.position } : {}),
  };
  return [paragraph, own];
}
