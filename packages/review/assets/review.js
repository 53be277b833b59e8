// One answer at a time; a label is sent as it is given, and the next unlabelled answer is shown once it is kept.

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
const NAMES = { correct: "correct", incorrect: "incorrect", retrieval_fault: "retrieval fault" };

/**
 * The first unlabelled answer after a place, from the start again if need be; the place itself when there is none.
 *
 * @param {number} from
 */
const unlabelledAfter = (from) => {
  const { length } = data.items;
  for (let i = 1; i <= length; i++) if (!data.items[(from + i) % length].label) return (from + i) % length;
  return from;
};

let at = Math.max(0, unlabelledAfter(-1));
let sending = false;

const showProgress = () => {
  const labelled = data.items.filter(({ label }) => label);
  const counts = Object.entries(NAMES).map(
    ([label, name]) => `${labelled.filter((item) => item.label === label).length} ${name}`,
  );
  progress.max = data.items.length;
  progress.value = labelled.length;
  byId("done").textContent = `${labelled.length} of ${data.items.length} labelled: ${counts.join(", ")}`;
};

/** @param {ReviewItem} item */
const content = (item) => {
  const { gold_answer, generated_answer, gold, retrieved, history } = item;
  /** @param {string} title @param {(Node | string)[]} text */
  const block = (title, text) => element("div", "", [element("h3", "", [title]), element("div", "text", text)]);
  /** @param {number} place @param {string[]} labels */
  const passage = (place, labels) =>
    passageElement(data.passages[place], { gold: gold.includes(place), labels, answer: gold_answer });
  const unfound = gold.filter((place) => !retrieved.includes(place));
  return [
    element("p", "muted", [`Answer ${at + 1} of ${data.items.length}`]),
    ...history.map(({ speaker, message }) => element("p", "", [`${speaker}: ${message}`])),
    element("p", "question", [item.question]),
    element("div", "pair", [
      block(
        "Answer to label",
        generated_answer === ""
          ? [element("span", "muted", ["(empty)"])]
          : withMarks(generated_answer, sharedRanges(generated_answer, gold_answer)),
      ),
      block("Gold answer", [gold_answer]),
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
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.label === item.label));
  showProgress();
};

/** @param {number} to */
const go = (to) => {
  at = Math.min(data.items.length - 1, Math.max(0, to));
  show();
  scrollTo(0, 0);
};

/**
 * Sends a label; the answer counts as labelled once the server has it on disk.
 *
 * @param {ReviewItem} item
 * @param {NonNullable<ReviewItem["label"]>} label
 */
const send = async (item, label) => {
  if (sending) return false;
  sending = true;
  const given = { question_id: item.question_id, generated_answer: item.generated_answer, label, note: note.value };
  try {
    const response = await fetch("labels", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(given),
    });
    const reply = await response.json();
    if (!response.ok) throw new Error(reply.error);
    // The same answer may stand in the file twice.
    for (const other of data.items) {
      if (other.question_id !== item.question_id || other.generated_answer !== item.generated_answer) continue;
      other.label = label;
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

/** @param {string | undefined} label */
const give = async (label) => {
  const chosen = /** @type {NonNullable<ReviewItem["label"]>} */ (label);
  if (await send(data.items[at], chosen)) go(unlabelledAfter(at));
};

for (const button of buttons) button.addEventListener("click", () => give(button.dataset.label));
byId("previous").addEventListener("click", () => go(at - 1));
byId("next").addEventListener("click", () => go(at + 1));
byId("open").addEventListener("click", () => go(unlabelledAfter(at)));

note.addEventListener("keydown", async (event) => {
  if (event.key !== "Enter" && event.key !== "Escape") return;
  const { label } = data.items[at];
  if (event.key === "Enter" && label && !(await send(data.items[at], label))) return;
  note.blur();
});

/** @type {Record<string, () => void>} */
const KEYS = {
  1: () => buttons[0].click(),
  2: () => buttons[1].click(),
  3: () => buttons[2].click(),
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

// A module, so that its names are its own.
export {};
