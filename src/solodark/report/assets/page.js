"use strict";
(() => {
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  const isDark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;

  const theme = find("theme");
  const showTheme = () => { theme.textContent = isDark() ? "☀" : "☾"; };
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
  });
  showTheme();

  // Every picture is already in the gallery; the viewer only borrows their addresses.
  const viewer = find("viewer"), stage = find("stage"), divider = find("divider");
  const left = find("left"), right = find("right"), blink = find("blink");
  const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`).value;
  const source = (key) => document.querySelector(
    `[data-panel="${key}"][data-what="${chosen("what")}"][data-where="${chosen("where")}"]`);

  const put = (side, select) => {
    const image = find(`image-${side}`);
    const from = source(select.value);
    image.src = from.src;
    image.alt = from.alt;
    image.className = chosen("where") === "detail" ? "pixels" : "";
    find(`tag-${side}`).textContent = select.selectedOptions[0].textContent;
  };
  const show = () => { put("left", left); put("right", right); };

  const split = (percent) => stage.style.setProperty("--split", `${percent}%`);
  divider.addEventListener("input", () => { stopBlink(); split(divider.value); });

  let timer = null, phase = false;
  const step = () => {
    phase = !phase;
    split(phase ? 0 : 100);
    find("tag-left").textContent = (phase ? right : left).selectedOptions[0].textContent;
  };
  const stopBlink = () => {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    stage.classList.remove("blinking");
    blink.setAttribute("aria-pressed", "false");
    split(divider.value);
    show();
  };
  const startBlink = () => {
    stage.classList.add("blinking");
    blink.setAttribute("aria-pressed", "true");
    step();
    timer = setInterval(step, 700);
  };
  const toggleBlink = () => (timer === null ? startBlink() : stopBlink());
  blink.addEventListener("click", toggleBlink);

  const refresh = () => { stopBlink(); show(); };
  for (const select of [left, right]) select.addEventListener("change", refresh);
  for (const radio of viewer.querySelectorAll("input[type=radio]")) {
    radio.addEventListener("change", refresh);
  }
  const flip = (name) => {
    const radios = [...document.querySelectorAll(`input[name="${name}"]`)];
    const next = radios.findIndex((radio) => radio.checked) + 1;
    radios[next % radios.length].checked = true;
    refresh();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
    const digit = event.code.startsWith("Digit") ? Number(event.code.slice(5)) : 0;
    const key = event.key.toLowerCase();
    if (digit >= 1 && digit <= right.options.length) {
      (event.shiftKey ? left : right).selectedIndex = digit - 1;
      refresh();
    } else if (key === "b") toggleBlink();
    else if (key === "r") flip("what");
    else if (key === "w") flip("where");
    else if (key === "arrowleft" || key === "arrowright") {
      if (event.target !== divider && !event.target.matches("input")) {
        divider.value = Number(divider.value) + (key === "arrowleft" ? -2 : 2);
        stopBlink();
        split(divider.value);
      }
    }
  });

  viewer.hidden = false;
  show();
})();
