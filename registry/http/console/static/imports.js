// Dropping a file, seeing at once what a mapping comes to, and watching progress. Pages work without.
const drop = document.querySelector("[data-drop]");
if (drop) {
  const input = drop.querySelector('input[type="file"]');
  drop.querySelector("[data-drop-hint]").hidden = false;
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("drop--over"); });
  }
  for (const kind of ["dragleave", "drop"]) {
    drop.addEventListener(kind, () => drop.classList.remove("drop--over"));
  }
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
}

const partOf = async (response, id) =>
  new DOMParser().parseFromString(await response.text(), "text/html").getElementById(id);

const mapping = document.querySelector("form[data-preview]");
if (mapping) {
  let latest = 0;
  let waiting;
  const show = async () => {
    const own = ++latest;
    const preview = document.getElementById("preview");
    preview.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(mapping.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(mapping)) });
      const found = await partOf(response, "preview");
      if (found && own === latest) preview.replaceWith(found);
    } finally {
      document.getElementById("preview").removeAttribute("aria-busy");
    }
  };
  mapping.addEventListener("change", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 250);
  });
}

const watch = async () => {
  const here = document.querySelector("[data-progress]");
  if (!here) return;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  try {
    const response = await fetch(location.href);
    const found = await partOf(response, "progress");
    if (!found || !found.hasAttribute("data-progress")) {
      location.reload();
      return;
    }
    here.replaceChildren(...found.childNodes);
  } catch {
    // The register may be busy for a moment: ask again.
  }
  watch();
};
watch();
