// The field of a modal that takes files: a button, what was chosen, and ways to leave it out again.

import { el, icon, toast } from "./dom.js";

const MOST = 10;

/** The chosen files as a list; `leave(file)` takes one out. Pictures are shown small. */
export function chips(files, leave) {
  return files.map((file) => {
    const shown = /^image\/(?:png|jpeg|gif|webp)$/.test(file.mimetype ?? "") ? el("img", { src: file.preview ?? `/control/files/${file.id}`, alt: "", width: 32, height: 32 }) : icon("file");
    const out = el("button", { type: "button", class: "icon", "aria-label": `Leave out ${file.name}`, "data-focus": `leave ${file.id}`, click: () => leave(file) }, icon("close"));
    return el("li", {}, shown, el("span", {}, file.name), out);
  });
}

/**
 * Bring files into the workspace, one after the other, as many as there is room `left` for among `most`.
 * `took(told, file)` for each that is taken; of the others it is said why not. Whether all that were brought were.
 */
export async function bring(given, { left, most, attach, took }) {
  if (given.length > left) toast(`At most ${most} files can be added.`);
  let well = true;
  for (const file of given.slice(0, left)) {
    const answer = await attach(file);
    well &&= answer.ok;
    if (answer.ok) took(answer.file, file);
    else toast(`${file.name || "The file"} was not taken: ${answer.error}`);
  }
  return well;
}

/** The control of a `file_input` element. */
export function fileControl(spec, { id, source, held, kept, tell }) {
  let files = (kept ?? held?.files ?? []).map(({ id: file, name, mimetype }) => ({ id: file, name, mimetype }));
  const most = spec.max_files ?? MOST;
  const accept = spec.filetypes?.map((ending) => `.${ending}`).join(",") ?? null;
  const picker = el("input", { type: "file", hidden: true, multiple: most > 1, accept, "aria-label": "Choose files", change: () => add([...picker.files]) });
  const button = el("button", { type: "button", class: "btn", "data-focus": id, click: () => picker.click() });
  const list = el("ul", { class: "chips", "aria-label": "Chosen files" });

  function draw() {
    list.replaceChildren(...chips(files, leave));
    list.hidden = !files.length;
    button.disabled = files.length >= most;
    button.replaceChildren(icon("attach"), files.length ? ` Add another (${files.length} of ${most})` : most > 1 ? " Add files" : " Add a file");
  }

  function leave(file) {
    files = files.filter((one) => one !== file);
    draw();
    button.focus();
    tell?.();
  }

  async function add(given) {
    button.setAttribute("aria-busy", "true");
    await bring(given, { left: most - files.length, most, attach: source.attach, took: (file) => files.push(file) });
    button.removeAttribute("aria-busy");
    picker.value = "";
    draw();
    tell?.();
  }

  draw();
  return { node: el("div", { class: "files" }, list, button, picker), read: () => files.map((file) => file.id), keep: () => files };
}
