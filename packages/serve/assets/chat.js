// The page's own script; page.js stands before it. What comes from the server is put into the page as text nodes only.

/** @typedef {{ id: string, score: number, source: string, url?: string, title?: string, text: string }} Source */
/** @typedef {{ id: string, question: string, answer: string, sources: Source[], vote: "up" | "down" | null, flag: boolean }} Turn */

const STORE = "rag-ft-conversation";
const KEY = "rag-ft-key";

/** @type {{ passages: number, asksKey: boolean }} */
const data = pageData();

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const byId = (id) => /** @type {T} */ (document.getElementById(id));
const thread = byId("thread");
const problem = byId("problem");
/** @type {HTMLTextAreaElement} */
const question = byId("question");
/** @type {HTMLButtonElement} */
const send = byId("send");
const stopButton = byId("stop");
/** @type {HTMLInputElement} */
const keep = byId("keep");
/** @type {HTMLDialogElement} */
const dialog = byId("source");
/** @type {HTMLFormElement} */
const keyForm = byId("key-form");

/** @type {Turn[]} */
let turns = [];
/** @type {AbortController | undefined} */
let asking;

byId("passages").textContent = data.passages.toLocaleString();

/** @param {string} text */
function showProblem(text) {
  problem.textContent = text;
  problem.hidden = text === "";
}

/** What the next page of this tab goes on from. */
function remember() {
  try {
    sessionStorage.setItem(STORE, JSON.stringify(turns));
  } catch {
    // Full or forbidden: the conversation ends with the page, nothing else is lost.
  }
}

/** @returns {Record<string, string>} */
function headers() {
  const key = sessionStorage.getItem(KEY);
  return { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) };
}

/**
 * @param {string} path
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 */
async function post(path, body, signal) {
  const response = await fetch(path, { method: "POST", headers: headers(), body: JSON.stringify(body), signal });
  if (response.ok) return response;
  if (response.status === 401) askForKey();
  const reply = await response.json().catch(() => undefined);
  throw new Error(reply?.error?.message ?? `The server answered ${response.status}.`);
}

function askForKey() {
  sessionStorage.removeItem(KEY);
  keyForm.hidden = false;
  byId("key").focus();
}

/**
 * @param {Source} source
 * @param {string} answer
 */
function openSource(source, answer) {
  byId("source-title").textContent = source.title ?? source.source;
  byId("source-place").replaceChildren(sourceElement({ source: source.url ?? source.source, url: source.url }));
  byId("source-text").replaceChildren(...withCode(source.text, sharedRanges(source.text, answer), "answer"));
  dialog.showModal();
}

const CITATION = /\[\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*\](?!\()/g;

/**
 * A text with its citations as buttons that open their passages; a number that no passage has stays as it is.
 *
 * @param {string} text
 * @param {Turn} turn
 * @returns {(Node | string)[]}
 */
function withCitations(text, turn) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(CITATION)) {
    parts.push(text.slice(at, match.index));
    at = match.index + match[0].length;
    for (const number of match[1].split(/[,;]/).map(Number)) {
      const source = turn.sources[number - 1];
      const open = () => source && openSource(source, turn.answer);
      const button = source && action(`[${number}]`, `Passage ${number}: ${source.title ?? source.source}`, open);
      if (button) button.className = "citation";
      parts.push(button ?? `[${number}]`);
    }
  }
  parts.push(text.slice(at));
  return parts;
}

/**
 * @param {Turn} turn
 * @returns {(Node | string)[]}
 */
function answerParts(turn) {
  return withCode(turn.answer).flatMap((part) => (typeof part === "string" ? withCitations(part, turn) : [part]));
}

/**
 * @param {Turn} turn
 * @param {HTMLElement} node
 */
function showSources(turn, node) {
  const items = turn.sources.map((source, i) => {
    const button = /** @type {HTMLButtonElement} */ (
      element("button", "", [`[${i + 1}] ${source.title ?? source.source}`])
    );
    button.type = "button";
    button.title = source.source;
    button.addEventListener("click", () => openSource(source, turn.answer));
    return element("li", "", [button]);
  });
  node.replaceChildren(...items);
}

/**
 * @param {string} text
 * @param {string} label
 * @param {() => void} act
 * @param {boolean} [pressed]
 */
function action(text, label, act, pressed) {
  const button = /** @type {HTMLButtonElement} */ (element("button", "", [text]));
  button.type = "button";
  button.setAttribute("aria-label", label);
  if (pressed !== undefined) button.setAttribute("aria-pressed", String(pressed));
  button.addEventListener("click", act);
  return button;
}

/**
 * @param {Turn} turn
 * @param {Partial<Pick<Turn, "vote" | "flag">>} change
 * @param {HTMLElement} node
 */
async function vote(turn, change, node) {
  const wanted = { vote: turn.vote, flag: turn.flag, ...change };
  try {
    await post("/v1/votes", { id: turn.id, ...wanted });
    Object.assign(turn, wanted);
    showProblem("");
    remember();
  } catch (error) {
    showProblem(`The vote was not kept: ${/** @type {Error} */ (error).message}`);
  }
  const focused = document.activeElement?.getAttribute("aria-label");
  showActions(turn, node);
  /** @type {HTMLElement | null} */ (node.querySelector(`[aria-label="${focused}"]`))?.focus();
}

/**
 * @param {Turn} turn
 * @param {HTMLElement} node
 */
function showActions(turn, node) {
  const isLast = turns.at(-1) === turn;
  const votes = turn.id
    ? [
        action(
          "👍",
          "Good answer",
          () => vote(turn, { vote: turn.vote === "up" ? null : "up" }, node),
          turn.vote === "up",
        ),
        action(
          "👎",
          "Bad answer",
          () => vote(turn, { vote: turn.vote === "down" ? null : "down" }, node),
          turn.vote === "down",
        ),
        action("⚑", "Flag: harmful or not to be shown", () => vote(turn, { flag: !turn.flag }, node), turn.flag),
      ]
    : [];
  node.replaceChildren(...votes, ...(isLast ? [action("Answer again", "Answer again", () => again())] : []));
}

/**
 * @param {Turn} turn
 * @returns {{ node: HTMLElement, answer: HTMLElement, sources: HTMLElement, actions: HTMLElement }}
 */
function turnElement(turn) {
  const asked = element("h2", "question", [turn.question]);
  const answer = element("div", "answer", answerParts(turn));
  const sources = element("ol", "sources");
  sources.setAttribute("aria-label", "Passages that the answer was made from");
  const actions = element("div", "actions");
  const node = element("article", "turn", [asked, answer, sources, actions]);
  return { node, answer, sources, actions };
}

function showAll() {
  thread.replaceChildren();
  for (const turn of turns) {
    const { node, sources, actions } = turnElement(turn);
    showSources(turn, sources);
    showActions(turn, actions);
    thread.append(node);
  }
}

/**
 * The values of server-sent events.
 *
 * @param {ReadableStream<Uint8Array>} body
 */
async function* eventsOf(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const line = event.startsWith("data: ") ? event.slice(6) : "";
      if (line === "[DONE]") return;
      if (line) yield JSON.parse(line);
    }
  }
}

/** @param {boolean} busy */
function showBusy(busy) {
  send.disabled = busy;
  send.hidden = busy;
  stopButton.hidden = !busy;
}

/** @param {string} text */
async function ask(text) {
  const before = turns.flatMap(({ question: q, answer }) => [
    { role: "user", content: q },
    { role: "assistant", content: answer },
  ]);
  /** @type {Turn} */
  const turn = { id: "", question: text, answer: "", sources: [], vote: null, flag: false };
  turns.push(turn);
  showAll();
  const shown = turnElement(turn);
  thread.lastElementChild?.replaceWith(shown.node);
  shown.answer.classList.add("waiting");
  shown.node.scrollIntoView({ block: "end" });
  showProblem("");
  showBusy(true);
  asking = new AbortController();
  try {
    const messages = [...before, { role: "user", content: text }];
    const response = await post(
      "/v1/chat/completions",
      { model: "rag-ft", messages, stream: true, store: keep.checked },
      asking.signal,
    );
    if (!response.body) throw new Error("The server sent nothing.");
    for await (const event of eventsOf(response.body)) {
      if (event.error) throw new Error(event.error.message);
      if (event.sources) {
        turn.sources = event.sources;
        showSources(turn, shown.sources);
      }
      const { delta, finish_reason } = event.choices?.[0] ?? {};
      turn.answer += delta?.content ?? "";
      shown.answer.replaceChildren(...answerParts(turn));
      if (finish_reason) turn.id = event.id;
      shown.node.scrollIntoView({ block: "end" });
    }
    turn.answer = turn.answer.trim();
    if (turn.answer === "") shown.answer.replaceChildren(element("span", "muted", ["(no answer)"]));
  } catch (error) {
    if (asking.signal.aborted) {
      turn.answer = turn.answer.trim();
      shown.node.append(element("p", "muted", ["Stopped."]));
    } else {
      turns.pop();
      shown.node.remove();
      question.value ||= text;
      showProblem(/** @type {Error} */ (error).message);
    }
  } finally {
    asking = undefined;
    shown.answer.classList.remove("waiting");
    showActions(turn, shown.actions);
    showBusy(false);
    remember();
    question.focus();
  }
}

async function again() {
  const turn = turns.pop();
  if (turn && !asking) await ask(turn.question);
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = question.value.trim();
  if (text === "" || asking) return;
  question.value = "";
  void ask(text);
});
question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  /** @type {HTMLFormElement} */ (byId("form")).requestSubmit();
});
stopButton.addEventListener("click", () => asking?.abort());
byId("new").addEventListener("click", () => {
  asking?.abort();
  turns = [];
  showAll();
  showProblem("");
  remember();
  question.focus();
});
keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  /** @type {HTMLInputElement} */
  const field = byId("key");
  sessionStorage.setItem(KEY, field.value.trim());
  field.value = "";
  keyForm.hidden = true;
  showProblem("");
  question.focus();
});

try {
  turns = JSON.parse(sessionStorage.getItem(STORE) ?? "[]");
} catch {
  turns = [];
}
showAll();
if (data.asksKey && !sessionStorage.getItem(KEY)) askForKey();
