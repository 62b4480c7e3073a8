// Keys, for who likes them; every page works without.
const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.key === "/") {
    const field = document.querySelector('main [role="search"] :is(input:not([type="hidden"]), select), main input[type="search"]');
    if (field) {
      event.preventDefault();
      field.focus();
    }
  } else if (event.key === "?") {
    const keys = document.querySelector("details.keys");
    if (keys) {
      keys.open = !keys.open;
      keys.querySelector("summary").focus();
    }
  }
});

// What is to be read first: why a form was refused.
document.getElementById("failure")?.focus();
