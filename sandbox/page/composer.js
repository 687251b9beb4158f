// A box to write in: commands, messages, files. Enter sends, Shift+Enter begins a new line.

import { el, icon, toast } from "./dom.js";
import { bring, chips as chipsOf } from "./filefield.js";
import { menuButton } from "./popup.js";

const LONGEST = 40_000;
const FILES_MAX = 10;
const isCommand = (text) => /^\/[a-z]/i.test(text);

/**
 * A composer. `id` names its fields, `suggest(kind, start)` gives [{insert, name, about}] for "/", "@" and "#",
 * `send({kind, text, files, broadcast, place})` resolves to {ok, error, text}, `attach(file, place)` to {ok, file};
 * `shortcuts()` are {text, click}, or left out where there are none; `reword()` changes what was sent last;
 * `written(draft)` hears of each change.
 *
 * It shows one draft of several. What begins with a draft ends with it, also when another is shown by then.
 */
export function composer({ id, label, broadcast, suggest, send, attach, written, shortcuts, reword, escape }) {
  let draft = { place: null, text: "", files: [], coming: null };
  let offered = [];
  let chosen = -1;

  const field = el("textarea", { id: `${id}-text`, rows: 1, "aria-label": label, maxlength: LONGEST, autocomplete: "off", "aria-autocomplete": "list", "aria-controls": `${id}-hints` });
  const hints = el("ul", { id: `${id}-hints`, class: "hints", role: "listbox", "aria-label": "Suggestions", hidden: true });
  const chips = el("ul", { class: "chips", "aria-label": "Files to be sent", hidden: true });
  const picker = el("input", { type: "file", multiple: true, hidden: true, "aria-label": "Choose files", change: pick });
  const attachButton = el("button", { type: "button", class: "icon", "aria-label": "Attach a file", title: "Attach a file", click: () => picker.click() }, icon("attach"));
  const shortcutButton = shortcuts ? menuButton({ class: "icon" , "data-focus": `${id}-shortcuts`}, "Shortcuts", shortcuts, icon("bolt")) : null;
  const sendButton = el("button", { type: "button", class: "send", "aria-label": "Send", title: "Send (Enter)", click: submit }, icon("send"));
  const also = el("input", { type: "checkbox", id: `${id}-also` });
  const alsoLabel = el("span", {}, "Also send to the channel");
  const alsoRow = broadcast ? el("label", { class: "also" }, also, alsoLabel) : null;
  const box = el("div", { class: "box" }, chips, field, el("div", { class: "box-row" }, attachButton, picker, shortcutButton, alsoRow, el("span", { class: "spring" }), sendButton));
  const node = el("div", { class: "composer" }, hints, box);

  function grow() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, 220)}px`;
    sendButton.disabled = field.disabled || isEmpty();
  }

  const isEmpty = () => !draft.text.trim() && !draft.files.length && !draft.coming;

  /** Something is typed. */
  function typed() {
    draft.text = field.value;
    written(draft);
    grow();
  }

  /** A draft changed otherwise; it is drawn if it is the one that is shown. */
  function changed(mine) {
    written(mine);
    if (mine !== draft) return;
    if (field.value !== mine.text) field.value = mine.text;
    drawChips();
  }

  function token() {
    const start = field.value.slice(0, field.selectionStart);
    const command = /^\/[\w-]*$/.exec(start);
    const name = /(?:^|\s)([@#][\w.-]*)$/.exec(start);
    return command ? command[0] : name ? name[1] : null;
  }

  function offer() {
    const start = token();
    offered = start === null ? [] : suggest(start[0], start.slice(1).toLowerCase());
    chosen = -1;
    const whole = offered.length === 1 && offered[0].name.toLowerCase() === start?.toLowerCase();
    if (whole && start[0] !== "/") offered = [];
    drawHints();
  }

  function drawHints() {
    hints.replaceChildren(
      ...offered.map((one, index) =>
        el("li", { id: `${id}-hint-${index}`, role: "option", "aria-selected": String(index === chosen), mousedown: (event) => { event.preventDefault(); take(index); } }, el("strong", {}, one.name), " ", el("span", {}, one.usage ?? ""), el("small", {}, one.about ?? "")),
      ),
    );
    hints.hidden = !offered.length;
    if (chosen >= 0) field.setAttribute("aria-activedescendant", `${id}-hint-${chosen}`);
    else field.removeAttribute("aria-activedescendant");
  }

  function take(index) {
    const start = token() ?? "";
    const at = field.selectionStart;
    const insert = `${offered[index].insert} `;
    field.setRangeText(insert, at - start.length, at, "end");
    offered = [];
    drawHints();
    typed();
  }

  function onKey(event) {
    if (event.isComposing) return;
    const open = offered.length > 0;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : chosen < 0 ? 0 : -1) + offered.length) % offered.length;
      drawHints();
    } else if (open && (event.key === "Tab" || (event.key === "Enter" && chosen >= 0)) && !event.shiftKey) {
      event.preventDefault();
      take(Math.max(chosen, 0));
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (!open) return escape?.();
      offered = [];
      drawHints();
    } else if (event.key === "ArrowUp" && !field.value && isEmpty()) {
      event.preventDefault();
      reword();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  }

  function pick() {
    add([...picker.files]);
    picker.value = "";
  }

  /** Bring files for what is being written now; each waits for those before it. */
  async function add(given) {
    const mine = draft;
    const { files, coming: before } = mine;
    const took = (told, file) => {
      files.push({ ...told, blob: file, preview: URL.createObjectURL(file) });
      changed(mine);
    };
    const brought = async () => {
      const well = (await before) ?? true;
      return (await bring(given, { left: FILES_MAX - files.length, most: FILES_MAX, attach: (file) => attach(file, mine.place), took })) && well;
    };
    const coming = brought();
    mine.coming = coming;
    drawChips();
    field.focus();
    await coming;
    if (mine.coming === coming) mine.coming = null;
    changed(mine);
  }

  function drawChips() {
    const mine = draft;
    const leave = (file) => {
      URL.revokeObjectURL(file.preview);
      mine.files.splice(mine.files.indexOf(file), 1);
      changed(mine);
      field.focus();
    };
    chips.replaceChildren(...chipsOf(mine.files, leave));
    chips.hidden = !mine.files.length;
    if (mine.coming) attachButton.setAttribute("aria-busy", "true");
    else attachButton.removeAttribute("aria-busy");
    grow();
  }

  /** Files that the workspace may have forgotten are brought once more; false when one is not taken. */
  async function broughtAgain(files, place) {
    for (const file of files.filter((one) => one.stale)) {
      const took = (told) => Object.assign(file, { id: told.id, stale: false });
      if (!(await bring([file.blob], { left: 1, most: 1, attach: (one) => attach(one, place), took }))) return false;
    }
    return true;
  }

  async function submit() {
    const mine = draft;
    const { place, files, coming } = mine;
    const text = mine.text.trim();
    if (field.disabled || isEmpty()) return;
    const kind = isCommand(text) ? "type" : "post";
    if (kind === "type" && (files.length || coming)) {
      toast("A slash command cannot carry files. Send them as a message, or in a thread.");
      return;
    }
    const toAll = also.checked;
    also.checked = false;
    Object.assign(mine, { text: "", files: [], coming: null });
    changed(mine);
    offer();
    const ready = (await coming) !== false && (await broughtAgain(files, place));
    const answer = ready ? await send({ kind, text, files: files.map((file) => file.id), broadcast: toAll, place }) : { ok: false };
    if (answer.ok) {
      for (const file of files) URL.revokeObjectURL(file.preview);
      return;
    }
    if (ready) toast(answer.text || answer.error);
    // An app that did not answer in time may have heard it all the same.
    if (answer.error === "operation_timeout" || mine.text || mine.files.length || mine.coming) return;
    Object.assign(mine, { text, files });
    if (mine === draft) also.checked = toAll;
    changed(mine);
  }

  field.addEventListener("keydown", onKey);
  field.addEventListener("input", () => { typed(); offer(); });
  field.addEventListener("blur", () => { offered = []; drawHints(); });
  field.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (pasted.length) { event.preventDefault(); add(pasted); }
  });

  return {
    node,
    focus: () => field.focus(),
    /** Files from elsewhere, as if they were attached here. */
    take: (given) => (field.disabled ? toast(field.placeholder) : add(given)),
    /** Show a draft, and what the box is for; `disabled` says why nothing can be written, or null. */
    show({ draft: given, placeholder, also: alsoText, disabled }) {
      if (given !== draft) {
        draft = given;
        field.value = draft.text;
        also.checked = false;
        field.setSelectionRange(field.value.length, field.value.length);
        offered = [];
        drawHints();
        drawChips();
      }
      field.placeholder = disabled ?? placeholder;
      field.disabled = Boolean(disabled);
      attachButton.disabled = Boolean(disabled);
      if (shortcutButton) shortcutButton.hidden = Boolean(disabled) || !shortcuts().length;
      if (alsoText) alsoLabel.textContent = alsoText;
      grow();
    },
  };
}
