import type { Element } from "hast";
import { attribute, find } from "./element.js";

/** `language-js`, `lang-js`, `highlight-python` (Sphinx), `highlight-source-js` (GitHub), `brush: js`. */
const NAMED = /^(?:language|lang|highlight-source|highlight|brush:?|src)-?([a-z0-9+#.-]+)$/i;
/** Names that say only that there is code. */
const ANY = /^(?:none|notranslate|default|text|plaintext|plain|code|auto|highlight|wrapper|container|lines?|block)$/i;
/** Languages that highlighters name by a class of their own, without a prefix. */
const BARE =
  /^(?:bash|c|cpp|csharp|css|dart|diff|elixir|go|graphql|groovy|haskell|html|http|ini|java|javascript|json|julia|kotlin|lua|perl|php|powershell|python|r|ruby|rust|scala|shell|sql|swift|toml|ts|typescript|xml|yaml)$/i;
const MOST_LEVELS = 4;

function named(element: Element): string | undefined {
  for (const name of ["dataLang", "dataLanguage"]) {
    const value = attribute(element, name);
    if (/^[\w+#.-]+$/.test(value) && !ANY.test(value)) return value;
  }
  const classes = attribute(element, "className").split(/\s+/);
  for (const one of classes) {
    const name = NAMED.exec(one)?.[1];
    if (name && !ANY.test(name)) return name;
  }
  return element.tagName === "pre" || element.tagName === "code" ? classes.find((one) => BARE.test(one)) : undefined;
}

/** The language of a block of code, as the block, the code in it or what is around it names it. */
export function codeLanguage(pre: Element, ancestors: readonly Element[]): { lang?: string } {
  const code = find(pre, ({ tagName }) => tagName === "code");
  const around = ancestors.slice(-MOST_LEVELS).reverse();
  for (const candidate of [...(code ? [code] : []), pre, ...around]) {
    const lang = named(candidate);
    if (lang !== undefined) return { lang: lang.toLowerCase() };
  }
  return {};
}
