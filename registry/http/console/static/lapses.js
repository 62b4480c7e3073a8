// Ticks every row of the page, for who does not want to do it one by one.
const all = document.querySelector("[data-tick-all]");
if (all) {
  const boxes = [...document.querySelectorAll('#queue input[name="lapse"]')];
  all.hidden = false;
  all.addEventListener("click", () => {
    const tick = !boxes.every((box) => box.checked);
    boxes.forEach((box) => { box.checked = tick; });
    all.textContent = tick ? "Tick none" : "Tick all on this page";
  });
}
