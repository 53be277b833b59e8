// One answer at a time; each label is sent as it is given, and the next unlabelled answer is shown once all that is asked of one is kept.

/** @typedef {import("../src/review-data.js").ReviewData} ReviewData */
/** @typedef {import("../src/review-data.js").ReviewItem} ReviewItem */

/** @type {ReviewData} */
const data = pageData();
/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const note = /** @type {HTMLInputElement} */ (byId("note"));
const progress = /** @type {HTMLProgressElement} */ (byId("progress"));
const problem = byId("problem");
const buttons = /** @type {HTMLButtonElement[]} */ ([...document.querySelectorAll("button[data-label]")]);
/** @type {Map<string, string[]>} */
const values = new Map(data.asked.map((kind) => [kind, []]));
for (const { dataset } of buttons) values.get(dataset.kind ?? "")?.push(dataset.label ?? "");

/** @param {ReviewItem} item */
const isLabelled = (item) => data.asked.every((kind) => item.given[kind]);

/**
 * The first unlabelled answer after a place, from the start again if need be; the place itself when there is none.
 *
 * @param {number} from
 */
const unlabelledAfter = (from) => {
  const { length } = data.items;
  for (let i = 1; i <= length; i++) if (!isLabelled(data.items[(from + i) % length])) return (from + i) % length;
  return from;
};

let at = Math.max(0, unlabelledAfter(-1));
let sending = false;

const showProgress = () => {
  const labelled = data.items.filter(isLabelled);
  const counts = [...values].map(([kind, names]) => {
    const given = data.items.map((item) => item.given[/** @type {"label"} */ (kind)]);
    return names
      .map((name) => `${given.filter((value) => value === name).length} ${name.replace("_", " ")}`)
      .join(", ");
  });
  progress.max = data.items.length;
  progress.value = labelled.length;
  byId("done").textContent = `${labelled.length} of ${data.items.length} labelled: ${counts.join("; ")}`;
};

/** @param {ReviewItem} item */
const content = (item) => {
  const { gold_answer, generated_answer, gold, retrieved, history } = item;
  /** @param {string} title @param {(Node | string)[]} text */
  const block = (title, text) => element("div", "", [element("h3", "", [title]), element("div", "text", text)]);
  /** @param {number} place @param {string[]} labels */
  const passage = (place, labels) =>
    passageElement(data.passages[place], {
      gold: gold.includes(place),
      labels,
      answer: gold_answer ?? generated_answer,
    });
  const unfound = gold.filter((place) => !retrieved.includes(place));
  return [
    element("p", "muted", [`Answer ${at + 1} of ${data.items.length}`]),
    ...history.map(({ speaker, message }) => element("p", "", [`${speaker}: ${message}`])),
    element("h2", "question", [item.question]),
    element("div", "pair", [
      block(
        "Answer to label",
        generated_answer === ""
          ? [element("span", "muted", ["(empty)"])]
          : withMarks(generated_answer, sharedRanges(generated_answer, gold_answer ?? "")),
      ),
      ...(gold_answer === undefined ? [] : [block("Gold answer", [gold_answer])]),
    ]),
    element("h3", "", ["Passages the system had"]),
    ...retrieved.map((place, i) => passage(place, [`rank ${i + 1}`])),
    ...(retrieved.length === 0 ? [element("p", "muted", ["None."])] : []),
    ...(unfound.length > 0
      ? [element("h3", "", ["Gold passages it did not have"]), ...unfound.map((place) => passage(place, []))]
      : []),
  ];
};

const show = () => {
  const item = data.items[at];
  byId("item").replaceChildren(...content(item));
  note.value = item.note ?? "";
  problem.hidden = true;
  for (const button of buttons) {
    const given = item.given[/** @type {"label"} */ (button.dataset.kind)];
    button.setAttribute("aria-pressed", String(button.dataset.label === given));
  }
  showProgress();
};

/** @param {number} to */
const go = (to) => {
  at = Math.min(data.items.length - 1, Math.max(0, to));
  show();
  scrollTo(0, 0);
};

/**
 * Sends what is said of an answer; it counts once the server has it on disk.
 *
 * @param {ReviewItem} item
 * @param {ReviewItem["given"]} given
 */
const send = async (item, given) => {
  if (sending) return false;
  sending = true;
  const { question_id, generated_answer } = item;
  const row = { question_id, generated_answer, ...given, note: note.value, labeller: data.labeller };
  try {
    const response = await fetch("labels", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(row),
    });
    const reply = await response.json();
    if (!response.ok) throw new Error(reply.error);
    // The same answer may stand in the file twice.
    for (const other of data.items) {
      if (other.question_id !== item.question_id || other.generated_answer !== item.generated_answer) continue;
      other.given = given;
      other.note = reply.note;
    }
    return true;
  } catch (error) {
    problem.textContent = `The label was not kept: ${error instanceof Error ? error.message : error}. Is the server still running?`;
    problem.hidden = false;
    return false;
  } finally {
    sending = false;
  }
};

/** @param {HTMLButtonElement} button */
const give = async ({ dataset }) => {
  const item = data.items[at];
  if (!(await send(item, { ...item.given, [dataset.kind ?? ""]: dataset.label }))) return;
  if (isLabelled(item)) go(unlabelledAfter(at));
  else show();
};

for (const button of buttons) button.addEventListener("click", () => give(button));
byId("previous").addEventListener("click", () => go(at - 1));
byId("next").addEventListener("click", () => go(at + 1));
byId("open").addEventListener("click", () => go(unlabelledAfter(at)));

note.addEventListener("keydown", async (event) => {
  if (event.key !== "Enter" && event.key !== "Escape") return;
  const { given } = data.items[at];
  const isGiven = Object.keys(given).length > 0;
  if (event.key === "Enter" && isGiven && !(await send(data.items[at], given))) return;
  note.blur();
});

/** @type {Record<string, () => void>} */
const KEYS = {
  ...Object.fromEntries(buttons.map((button, i) => [String(i + 1), () => button.click()])),
  ArrowLeft: () => go(at - 1),
  ArrowRight: () => go(at + 1),
  u: () => go(unlabelledAfter(at)),
  n: () => note.focus(),
};
document.addEventListener("keydown", (event) => {
  if (event.target === note || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
show();

const agreement = /** @type {HTMLDetailsElement} */ (byId("agreement"));
agreement.addEventListener("toggle", async () => {
  if (!agreement.open) return;
  const reply = await fetch("agreement").then((response) => response.json());
  byId("agreement-lines").replaceChildren(
    ...reply.lines.map((/** @type {string} */ line) => element("li", "", [line])),
  );
});

// A module, so that its names are its own.
export {};
