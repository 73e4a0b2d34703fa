"use strict";

// The before-and-after picture. Two pictures of one size lie on each other; the left one is clipped at
// the divider. The range input holds the position: keys move it, and so does a pointer on the picture.
(() => {
  const element = (id) => document.getElementById(id);
  const source = element("comparison");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const stage = element("stage");
  const split = element("split");
  const kind = element("kind");
  const program = element("program");
  const left = element("left");
  const right = element("right");

  const figure = (value) => (value === null ? "identical" : `${value.toFixed(2)} dB`);

  function moveTo(value) {
    split.value = value;
    stage.style.setProperty("--split", `${split.value}%`);
  }

  function show() {
    const input = data.inputs[kind.value];
    const chosen = data.programs[program.value];
    const made = chosen.kinds[kind.value];
    const against = document.querySelector("input[name=against]:checked").value;
    const name = against === "truth" ? "Truth" : "Degraded";
    left.src = input[against];
    left.alt = `${name}: ${input.title}`;
    right.src = made.picture;
    right.alt = `Restored by ${chosen.title}: ${input.title}`;
    element("left-tag").textContent = name;
    split.setAttribute("aria-label", `Divider: ${name.toLowerCase()} on its left, restored on its right`);
    element("psnr-input").textContent = figure(input.psnr);
    element("psnr-output").textContent = figure(made.psnr);
    const gain = input.psnr === null || made.psnr === null ? null : made.psnr - input.psnr;
    element("psnr-gain").textContent =
      gain === null ? "none to be had" : `${gain < 0 ? "\u2212" : "+"}${Math.abs(gain).toFixed(2)} dB`;
    element("agreement").textContent = figure(made.agreement);
    element("need").textContent = made.need ?? "";
  }

  function follow(event) {
    const box = stage.getBoundingClientRect();
    moveTo(Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width)));
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    split.focus({ preventScroll: true });
    follow(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (stage.hasPointerCapture(event.pointerId)) follow(event);
  });
  split.addEventListener("input", () => moveTo(split.value));
  for (const control of [kind, program, ...document.querySelectorAll("input[name=against]")]) {
    control.addEventListener("change", show);
  }
  moveTo(split.value);
  show();
})();
