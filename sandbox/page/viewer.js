// A picture in front of the page: fitted or as large as it is, its neighbours, and its bytes as a file.

import { el, icon, named } from "./dom.js";

/** Sizes beside "fitted to the window": so many screen pixels for each of the picture's. */
const SCALES = [null, 0.5, 1, 2, 4];

/** Everything that can be looked at where `button` is, in order. */
function neighbours(button) {
  const box = button.closest(".log, .home, dialog");
  const around = box ? [...box.querySelectorAll("button.picture")] : [button];
  return around.filter((one) => one.shown && one.classList.contains("small") === button.classList.contains("small"));
}

/** Open the picture of a button; `button.shown` is {url, name, alt, width, height}. */
export function view(button) {
  const all = neighbours(button);
  const pictures = all.map((one) => one.shown);
  let at = all.indexOf(button);
  let scale = 0;

  const name = el("strong");
  const about = el("small", { role: "status" });
  const image = el("img", { alt: "", draggable: "false" });
  const caption = el("p", { class: "caption" });
  const save = el("a", { class: "btn" }, "Download");
  const tool = (label, drawing, click) => el("button", { type: "button", class: "icon", "aria-label": label, title: label, click }, icon(drawing));
  const smaller = tool("Smaller", "minus", () => zoom(-1));
  const larger = tool("Larger", "attach", () => zoom(1));
  const before = tool("Picture before", "left", () => go(-1));
  const after = tool("Next picture", "right", () => go(1));
  const stage = el("div", { class: "stage", tabindex: 0, role: "group", "aria-label": "The picture; arrows go to its neighbours, plus and minus change its size", click: pressed }, image);
  const dialog = el(
    "dialog",
    { class: "viewer", "aria-label": "Picture" },
    el("header", {}, el("p", {}, name, " ", about), before, after, smaller, larger, save, tool("Close the picture", "close", () => dialog.close())),
    stage,
    caption,
  );

  function pressed(event) {
    if (event.target === stage && !scale) dialog.close();
    else if (event.target === image) zoom(scale ? -scale : SCALES.indexOf(1));
  }

  /** Which part of the picture is in the middle of the window, as parts of its width and height. */
  const middle = () => [(stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth, (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight];

  function zoom(by) {
    const [across, down] = scale ? middle() : [0.5, 0.5];
    scale = Math.min(SCALES.length - 1, Math.max(0, scale + by));
    draw();
    // What was in the middle stays there.
    stage.scrollTo(across * stage.scrollWidth - stage.clientWidth / 2, down * stage.scrollHeight - stage.clientHeight / 2);
  }

  function go(by) {
    if (!pictures[at + by]) return;
    at += by;
    scale = 0;
    draw();
  }

  function draw() {
    const shown = pictures[at];
    if (image.getAttribute("src") !== shown.url) image.src = shown.url;
    image.alt = shown.alt;
    image.style.width = scale && shown.width ? `${shown.width * SCALES[scale]}px` : "";
    stage.classList.toggle("zoomed", scale > 0);
    name.textContent = shown.name;
    const place = pictures.length > 1 ? `${at + 1} of ${pictures.length}` : "";
    const size = shown.width && shown.height ? `${shown.width} × ${shown.height}` : "";
    about.textContent = [place, size, scale ? `${SCALES[scale] * 100} %` : ""].filter(Boolean).join(" · ");
    save.href = shown.url;
    save.download = shown.name || "picture";
    caption.textContent = shown.alt;
    caption.hidden = !shown.alt || shown.alt === shown.name;
    before.hidden = after.hidden = pictures.length < 2;
    before.disabled = at === 0;
    after.disabled = at === pictures.length - 1;
    smaller.disabled = !scale;
    larger.disabled = !shown.width || scale === SCALES.length - 1;
  }

  dialog.addEventListener("keydown", (event) => {
    const scrolls = scale > 0 && document.activeElement === stage;
    const does = { ArrowLeft: () => go(-1), ArrowRight: () => go(1), "+": () => zoom(1), "-": () => zoom(-1) }[event.key];
    if (!does || (scrolls && event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    does();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    // The list may have been drawn again meanwhile, and the dialog's own way back with it.
    if (!button.isConnected) named(button.dataset.focus)?.focus();
  });
  draw();
  document.body.append(dialog);
  dialog.showModal();
  stage.focus();
}
