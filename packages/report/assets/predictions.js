// The table of predictions: filters, search, order, pages. Rows are opened only when asked for, so that thousands stay quick.

/** @typedef {import("../src/prediction-data.js").PredictionData} PredictionData */
/** @typedef {import("../src/prediction-data.js").QuestionData} QuestionData */
/** @typedef {import("../src/prediction-data.js").AnswerData} AnswerData */

const ROWS_A_PAGE = 20;

/** @type {PredictionData} */
const data = pageData();

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const byId = (id) => /** @type {T} */ (document.getElementById(id));
const [system, order] = ["system", "order"].map((id) => /** @type {HTMLSelectElement} */ (byId(id)));
const change = /** @type {HTMLSelectElement | null} */ (byId("change"));
const [query, limit, misses, wrong] = ["query", "limit", "misses", "wrong"].map(
  (id) => /** @type {HTMLInputElement} */ (byId(id)),
);
const [previous, next] = ["previous", "next"].map((id) => /** @type {HTMLButtonElement} */ (byId(id)));

let page = 0;

/**
 * @param {AnswerData} answer
 */
const isWrong = (answer) => {
  if (answer.label) return answer.label !== "correct";
  if (answer.verdict === "correct" || answer.verdict === "incorrect") return answer.verdict === "incorrect";
  return (answer.rougeL ?? answer.f1 ?? 0) < Number(limit.value);
};

/** @type {Record<string, (before: AnswerData, now: AnswerData) => boolean>} */
const CHANGES = {
  fixed: (before, now) => isWrong(before) && !isWrong(now),
  broken: (before, now) => !isWrong(before) && isWrong(now),
  found: (before, now) => before.found === false && now.found === true,
  lost: (before, now) => before.found === true && now.found === false,
};

/** Texts in lower case, made at the first search. */
/** @type {Map<string | number, string>} */
const lowered = new Map();
/**
 * @param {string | number} key
 * @param {() => string} text
 */
const lower = (key, text) => {
  const known = lowered.get(key);
  if (known !== undefined) return known;
  const made = text().toLowerCase();
  lowered.set(key, made);
  return made;
};

/**
 * @param {QuestionData} row
 * @param {number} index
 * @param {AnswerData} answer
 * @param {string} wanted
 */
const contains = (row, index, answer, wanted) =>
  lower(`q${index}`, () => [row.question, row.answer].join("\n")).includes(wanted) ||
  lower(`a${index} ${system.value}`, () => answer.answer).includes(wanted) ||
  [...row.gold, ...answer.retrieved].some((place) =>
    lower(place, () => Object.values(data.passages[place]).join("\n")).includes(wanted),
  );

/** @returns {{ row: QuestionData, index: number, answer: AnswerData }[]} */
const chosenRows = () => {
  const wanted = query.value.trim().toLowerCase();
  const changed = change ? CHANGES[change.value] : undefined;
  const rows = data.questions.flatMap((row, index) => {
    const answer = row.by[Number(system.value)];
    if (!answer) return [];
    if (misses.checked && answer.found !== false) return [];
    if (wrong.checked && !isWrong(answer)) return [];
    const before = data.base === null ? null : row.by[data.base];
    if (changed && !(before && changed(before, answer))) return [];
    if (wanted !== "" && !contains(row, index, answer, wanted)) return [];
    return [{ row, index, answer }];
  });
  if (order.value !== "file") {
    const sign = order.value === "worst" ? 1 : -1;
    rows.sort((a, b) => sign * ((a.answer.rougeL ?? 0) - (b.answer.rougeL ?? 0)) || a.index - b.index);
  }
  return rows;
};

/**
 * @param {string} text
 * @param {"" | "good" | "bad"} [kind]
 */
const badge = (text, kind = "") => element("span", `badge ${kind}`.trim(), [text]);

/** @param {string} text */
const searched = (text) => withMarks(text, foundRanges(text, query.value.trim()), "answer");

/**
 * @param {QuestionData} row
 * @param {AnswerData} answer
 */
const rankBadge = (row, answer) => {
  if (answer.found === null) return badge(answer.retrieved.length > 0 ? "given passages" : "not retrieved");
  const ranks = row.gold.map((place) => answer.retrieved.indexOf(place) + 1);
  return answer.found ? badge(`gold at ${ranks.join(", ")}`, "good") : badge("gold missed", "bad");
};

/** @param {AnswerData} answer */
const verdictBadges = (answer) => [
  ...(answer.label
    ? [badge(`labelled ${answer.label.replace("_", " ")}`, answer.label === "correct" ? "good" : "bad")]
    : []),
  ...(answer.helpfulness ? [badge(answer.helpfulness, answer.helpfulness === "helpful" ? "good" : "bad")] : []),
  ...(answer.harmlessness === "harmful" ? [badge("harmful", "bad")] : []),
  ...(answer.split ? [badge(`reviewers split on ${answer.split.join(", ")}`)] : []),
  ...(answer.verdict === undefined
    ? []
    : [
        badge(
          answer.verdict === "correct" || answer.verdict === "incorrect"
            ? `judged ${answer.verdict}`
            : `judge: ${answer.verdict}`,
          answer.verdict === "correct" ? "good" : answer.verdict === "incorrect" ? "bad" : "",
        ),
      ]),
  ...(answer.rougeL === undefined
    ? []
    : [
        badge(
          `ROUGE-L ${answer.rougeL.toFixed(2)}`,
          answer.verdict !== undefined || answer.label !== undefined ? "" : isWrong(answer) ? "bad" : "good",
        ),
      ]),
];

/**
 * @param {string} title
 * @param {(Node | string)[]} content
 * @param {(Node | string)[]} [badges]
 */
const answerBlock = (title, content, badges = []) =>
  element("div", "", [
    element("h3", "", [title, " ", ...badges]),
    element("div", "text", content.length > 0 ? content : [element("span", "muted", ["(empty)"])]),
  ]);

/**
 * What a row shows when it is opened.
 *
 * @param {QuestionData} row
 * @param {AnswerData} answer
 */
const rowBody = (row, answer) => {
  const chosen = Number(system.value);
  const others = data.systems.flatMap((name, i) => {
    const other = row.by[i];
    return other && i !== chosen ? [{ name, other }] : [];
  });
  /** @param {string} name @param {AnswerData} given */
  const generated = (name, given) => {
    const notes = [
      ...(given.error ? [badge(`failed: ${given.error}`, "bad")] : []),
      ...(given.finish === "length" ? [badge("cut at the limit")] : []),
    ];
    const text = given.answer === "" ? [] : withMarks(given.answer, sharedRanges(given.answer, row.answer));
    const block = answerBlock(name, text, [rankBadge(row, given), " ", ...verdictBadges(given), ...notes]);
    if (given.reply) block.append(element("p", "muted", [`Judge: ${given.reply}`]));
    return block;
  };
  const history = row.history.map(({ speaker, message }) => element("p", "", [`${speaker}: ${message}`]));
  const unfound = row.gold.filter((place) => !answer.retrieved.includes(place));
  /** @param {number} place @param {string[]} labels */
  const passage = (place, labels) =>
    passageElement(data.passages[place], { gold: row.gold.includes(place), labels, answer: row.answer });
  return element("div", "row-body", [
    ...(history.length > 0 ? [element("h3", "", ["Dialogue before the question"]), ...history] : []),
    element("div", "answers", [
      answerBlock("Gold answer", searched(row.answer)),
      generated(data.systems[chosen], answer),
      ...others.map(({ name, other }) => generated(name, other)),
    ]),
    element("h3", "", [`Retrieved by ${data.systems[chosen]}`]),
    ...answer.retrieved.map((place, i) => {
      const similarity = answer.similarities[i];
      return passage(place, [
        `rank ${i + 1}`,
        ...(similarity === undefined ? [] : [`similarity ${similarity.toFixed(3)}`]),
      ]);
    }),
    ...(answer.retrieved.length === 0 ? [element("p", "muted", ["Nothing was retrieved."])] : []),
    ...(unfound.length > 0
      ? [element("h3", "", ["Not retrieved"]), ...unfound.map((place) => passage(place, []))]
      : []),
  ]);
};

/** @param {{ row: QuestionData, index: number, answer: AnswerData }} chosen */
const rowElement = ({ row, index, answer }) => {
  const details = document.createElement("details");
  const summary = element("summary", "", [
    element("span", "row-number", [String(index + 1)]),
    element("span", "", searched(row.question)),
    element("span", "row-badges", [rankBadge(row, answer), ...verdictBadges(answer)]),
  ]);
  details.append(summary);
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(rowBody(row, answer));
  });
  return element("li", "", [details]);
};

const show = () => {
  const rows = chosenRows();
  const pages = Math.max(1, Math.ceil(rows.length / ROWS_A_PAGE));
  page = Math.min(page, pages - 1);
  const shown = rows.slice(page * ROWS_A_PAGE, (page + 1) * ROWS_A_PAGE);
  byId("rows").replaceChildren(...shown.map(rowElement));
  byId("count").textContent = `${rows.length} of ${data.questions.length} questions`;
  byId("page").textContent = `Page ${page + 1} of ${pages}`;
  previous.disabled = page === 0;
  next.disabled = page === pages - 1;
};

const controls = byId("controls");
const fromTheFirst = () => {
  page = 0;
  show();
};
controls.addEventListener("input", fromTheFirst);
controls.addEventListener("submit", (event) => event.preventDefault());
// The fields have their first values only after the event.
controls.addEventListener("reset", () => setTimeout(fromTheFirst));
/** @param {number} by */
const turn = (by) => {
  page += by;
  show();
  byId("count").scrollIntoView({ block: "nearest" });
};
previous.addEventListener("click", () => turn(-1));
next.addEventListener("click", () => turn(1));
show();

// A module, so that its names are its own.
export {};
