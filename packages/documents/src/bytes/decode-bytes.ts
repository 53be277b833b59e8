/** Bytes as text, and what is to be said of them. */
export interface Decoded {
  text: string;
  /** Set when the bytes are not what they say. One sentence; `line` is where. */
  warning?: { message: string; line: number };
}

/** Bytes at the beginning in which a page declares its encoding (HTML Standard, 13.2.3.2). */
const PRESCAN = 1024;
const DECLARATION =
  /<meta\s[^>]{0,300}?charset\s*=\s*["']?\s*([\w:.-]{2,40})|<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w:.-]{2,40})["']/i;

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

/** Encoding by the first bytes: a byte order mark, or the zeros of UTF-16 without one. */
function markedEncoding(bytes: Uint8Array): string | undefined {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8";
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  if (bytes.length < 4 || bytes.length % 2 !== 0) return undefined;
  const zeros = [0, 0];
  const length = Math.min(bytes.length, PRESCAN);
  for (let i = 0; i < length; i++) if (bytes[i] === 0) (zeros[i % 2] as number)++;
  const [even = 0, odd = 0] = zeros;
  if (odd > length * 0.4 && even < length * 0.05) return "utf-16le";
  if (even > length * 0.4 && odd < length * 0.05) return "utf-16be";
  return undefined;
}

function declaredEncoding(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, PRESCAN));
  const match = DECLARATION.exec(start);
  const label = match?.[1] ?? match?.[2];
  // A page that could be read so far as ASCII is not UTF-16, whatever it says.
  return label && /^utf-?16/i.test(label) ? "utf-8" : label;
}

/** Windows-1252 from 0x80 to 0x9F, which some engines decode as the control characters of Latin-1; a blank is undefined. */
const C1 = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

function decodeWindows1252(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return text.replace(/[\u0080-\u009F]/g, (character) => C1.charAt(character.charCodeAt(0) - 0x80));
}

function decodeAs(label: string, bytes: Uint8Array): string {
  const { encoding } = new TextDecoder(label);
  return encoding === "windows-1252" ? decodeWindows1252(bytes) : new TextDecoder(label).decode(bytes);
}

/** Bytes above ASCII that stand as letters and signs do in a text: one or two at a time, letters beside letters. */
const PLAUSIBLE =
  /(?<=[A-Za-z])[\u00C0-\u00FF\u008A\u008C\u008E\u009A\u009C\u009E]{1,2}|[\u00C0-\u00FF\u008A\u008C\u008E\u009A\u009C\u009E]{1,2}(?=[A-Za-z])|[\u0080\u0082\u0084\u0085\u0091-\u0097\u0099\u00A0-\u00BF]/g;

/** A byte that is no UTF-8: of a file in which nothing else is, Windows-1252 is the likeliest when it makes words. */
function decodeStray(bytes: Uint8Array): Decoded {
  const text = new TextDecoder("utf-8").decode(bytes);
  const at = text.indexOf("\uFFFD");
  const line = lineOf(text, at);
  const found = `bytes that are not UTF-8 (near ${JSON.stringify(text.slice(Math.max(0, at - 20), at + 10))})`;
  const isOther = /[\u0080-\uFFFC]/.test(text);
  const rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1").replace(PLAUSIBLE, "");
  if (isOther || /[\u0080-\u00FF]/.test(rest)) {
    return { text, warning: { message: `${found}; each is read as U+FFFD. Save the file as UTF-8.`, line } };
  }
  const message = `${found}; the file is read as windows-1252. Save it as UTF-8.`;
  return { text: decodeWindows1252(bytes), warning: { message, line } };
}

/**
 * Decodes a file of text: by its byte order mark, else by what it declares (`declares`: HTML and XML do), else as UTF-8, strictly:
 * bytes that are none are told of.
 */
export function decodeBytes(bytes: Uint8Array, declares: boolean): Decoded {
  const marked = markedEncoding(bytes);
  const declared = marked ?? (declares ? declaredEncoding(bytes) : undefined);
  let unknown: string | undefined;
  if (declared !== undefined && !/^utf-?8$/i.test(declared)) {
    try {
      const text = decodeAs(declared, bytes);
      const at = text.indexOf("\uFFFD");
      if (at < 0) return { text };
      const message = `bytes that are not ${declared}, which the file declares; each is read as U+FFFD. Save the file as UTF-8.`;
      return { text, warning: { message, line: lineOf(text, at) } };
    } catch {
      unknown = declared;
    }
  }
  let decoded: Decoded;
  try {
    decoded = { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    decoded = decodeStray(bytes);
  }
  if (unknown === undefined || decoded.warning) return decoded;
  return {
    ...decoded,
    warning: { message: `declares the unknown encoding ${unknown}; it is read as UTF-8.`, line: 1 },
  };
}
