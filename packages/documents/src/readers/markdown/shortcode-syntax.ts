// Templates' marks within Markdown, as a construct of micromark, so that code and comments are told from them as CommonMark tells:
// Hugo's `{{< name … >}}` and `{{% name … %}}`, mdBook's `{{#include …}}`, Liquid's and Jinja's `{% name … %}`.
import type { Extension as FromMarkdown, Handle } from "mdast-util-from-markdown";
import type { Code, Construct, Effects, Extension, State, TokenizeContext } from "micromark-util-types";

declare module "mdast" {
  /** A mark of a template: what stands between its braces, with them. */
  interface Shortcode extends Literal {
    type: "shortcode";
  }
  interface PhrasingContentMap {
    shortcode: Shortcode;
  }
  interface RootContentMap {
    shortcode: Shortcode;
  }
}
declare module "micromark-util-types" {
  interface TokenTypeMap {
    shortcode: "shortcode";
    shortcodeData: "shortcodeData";
  }
}

const OPEN = 123;
const CLOSE = 125;
const PERCENT = 37;
const HASH = 35;
const LESS = 60;
const GREATER = 62;
/** A mark that is longer is none. */
const MOST_CHARACTERS = 2000;

function tokenize(this: TokenizeContext, effects: Effects, ok: State, nok: State): State {
  let kind: "hugo" | "hash" | "liquid" = "hugo";
  let closing = PERCENT;
  let length = 0;
  let inData = false;
  let previous: Code = null;
  const data = (wanted: boolean): void => {
    if (wanted === inData) return;
    if (wanted) effects.enter("shortcodeData");
    else effects.exit("shortcodeData");
    inData = wanted;
  };
  const consume = (code: Code): void => {
    data(true);
    effects.consume(code);
    previous = code;
    length++;
  };
  const start: State = (code) => {
    if (code !== OPEN) return nok(code);
    effects.enter("shortcode");
    consume(code);
    return second;
  };
  const second: State = (code) => {
    if (code === PERCENT) kind = "liquid";
    else if (code !== OPEN) return nok(code);
    consume(code);
    return kind === "liquid" ? inside : third;
  };
  const third: State = (code) => {
    if (code === LESS) closing = GREATER;
    else if (code === HASH) kind = "hash";
    else if (code !== PERCENT) return nok(code);
    consume(code);
    return inside;
  };
  const inside: State = (code) => {
    if (code === null || length > MOST_CHARACTERS) return nok(code);
    if (code < -2) {
      data(false);
      effects.enter("lineEnding");
      effects.consume(code);
      effects.exit("lineEnding");
      previous = code;
      return inside;
    }
    if (code !== CLOSE) {
      consume(code);
      return inside;
    }
    const before = previous;
    consume(code);
    if (kind === "liquid") return before === PERCENT ? done(ok) : inside;
    return kind === "hash" || before === closing ? last : inside;
  };
  const last: State = (code) => {
    if (code !== CLOSE) return inside(code);
    consume(code);
    return done(ok);
  };
  const done = (next: State): State => {
    data(false);
    effects.exit("shortcode");
    return next;
  };
  return start;
}

const construct: Construct = { name: "shortcode", tokenize };

export const shortcodeSyntax: Extension = { text: { [OPEN]: construct } };

const enter: Handle = function (token) {
  this.enter({ type: "shortcode", value: this.sliceSerialize(token) }, token);
};

const exit: Handle = function (token) {
  this.exit(token);
};

export const shortcodeFromMarkdown: FromMarkdown = { enter: { shortcode: enter }, exit: { shortcode: exit } };
