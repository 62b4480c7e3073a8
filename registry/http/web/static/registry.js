// Everything works without this. It adds a button where a browser can do more than a link.
for (const place of document.querySelectorAll("[data-button]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "govuk-button govuk-button--secondary";
  button.textContent = place.dataset.button;
  if (place.dataset.does === "print") {
    button.addEventListener("click", () => window.print());
  } else {
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(place.dataset.copy);
      button.textContent = place.dataset.done;
    });
  }
  place.append(button);
}

// After a failed form, the summary of what is wrong is read first.
document.querySelector(".govuk-error-summary")?.focus();
