// Asks who labels: the page of answers is the same address with the name.

const who = /** @type {HTMLFormElement} */ (document.getElementById("who"));
const named = /** @type {HTMLInputElement} */ (document.getElementById("name"));
named.focus();
named.select();
who.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = named.value.trim();
  if (name !== "") location.search = `?${new URLSearchParams({ labeller: name })}`;
});

// A module, so that its names are its own.
export {};
