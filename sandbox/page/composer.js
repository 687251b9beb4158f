// A box to write in: commands, messages, files. Enter sends, Shift+Enter begins a new line.

import { el, icon, toast } from "./dom.js";
import { chips as chipsOf } from "./filefield.js";
import { menuButton } from "./popup.js";

const LONGEST = 40_000;
const FILES_MAX = 10;
const isCommand = (text) => /^\/[a-z]/i.test(text);

/**
 * A composer. `id` names its fields, `suggest(kind, start)` gives [{insert, name, about}] for "/", "@" and "#",
 * `send({kind, text, files, broadcast})` resolves to {ok, error, text}, `attach(file)` to {ok, file};
 * `shortcuts()` are {text, click}, or left out where there are none; `reword()` changes what was sent last.
 */
export function composer({ id, label, broadcast, suggest, send, attach, shortcuts, reword, escape }) {
  let files = [];
  let offered = [];
  let chosen = -1;

  const field = el("textarea", { id: `${id}-text`, rows: 1, "aria-label": label, maxlength: LONGEST, autocomplete: "off", "aria-autocomplete": "list", "aria-controls": `${id}-hints` });
  const hints = el("ul", { id: `${id}-hints`, class: "hints", role: "listbox", "aria-label": "Suggestions", hidden: true });
  const chips = el("ul", { class: "chips", "aria-label": "Files to be sent", hidden: true });
  const picker = el("input", { type: "file", multiple: true, hidden: true, "aria-label": "Choose files", change: () => add([...picker.files]) });
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
    sendButton.disabled = field.disabled || (!field.value.trim() && !files.length);
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
    const typed = offered.length === 1 && offered[0].name.toLowerCase() === start?.toLowerCase();
    if (typed && start[0] !== "/") offered = [];
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
    grow();
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
    } else if (event.key === "ArrowUp" && !field.value && !files.length) {
      event.preventDefault();
      reword();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  }

  async function add(given) {
    for (const file of given.slice(0, FILES_MAX - files.length)) {
      const answer = await attach(file);
      if (answer.ok) files.push({ ...answer.file, blob: file, preview: URL.createObjectURL(file) });
      else toast(`${file.name || "The file"} was not taken: ${answer.error}`);
    }
    picker.value = "";
    drawChips();
    field.focus();
  }

  function drawChips() {
    const leave = (file) => {
      URL.revokeObjectURL(file.preview);
      files = files.filter((one) => one !== file);
      drawChips();
      field.focus();
    };
    chips.replaceChildren(...chipsOf(files, leave));
    chips.hidden = !files.length;
    grow();
  }

  /** Files that the workspace may have forgotten are brought once more; false when one is not taken. */
  async function broughtAgain(given) {
    for (const file of given.filter((one) => one.stale)) {
      const answer = await attach(file.blob);
      if (!answer.ok) {
        toast(`${file.name} was not taken: ${answer.error}`);
        return false;
      }
      Object.assign(file, { id: answer.file.id, stale: false });
    }
    return true;
  }

  async function submit() {
    const text = field.value.trim();
    if (field.disabled || (!text && !files.length)) return;
    const kind = isCommand(text) ? "type" : "post";
    if (kind === "type" && files.length) {
      toast("A slash command cannot carry files. Send them as a message, or in a thread.");
      return;
    }
    const [kept, broadcast] = [files, also.checked];
    field.value = "";
    files = [];
    also.checked = false;
    drawChips();
    offer();
    const brought = await broughtAgain(kept);
    const answer = brought ? await send({ kind, text, files: kept.map((file) => file.id), broadcast }) : { ok: false };
    if (answer.ok) {
      for (const file of kept) URL.revokeObjectURL(file.preview);
      return;
    }
    if (brought) toast(answer.text || answer.error);
    const timedOut = answer.error === "operation_timeout";
    if (!field.value && !timedOut) {
      field.value = text;
      files = kept;
      drawChips();
    }
  }

  box.addEventListener("dragover", (event) => event.preventDefault());
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!field.disabled) add([...event.dataTransfer.files]);
  });
  field.addEventListener("keydown", onKey);
  field.addEventListener("input", () => { grow(); offer(); });
  field.addEventListener("blur", () => { offered = []; drawHints(); });
  field.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (pasted.length) { event.preventDefault(); add(pasted); }
  });

  return {
    node,
    focus: () => field.focus(),
    draft: () => ({ text: field.value, files }),
    /** Show a draft, and what the box is for; `disabled` says why nothing can be written, or null. */
    show({ draft, placeholder, also: alsoText, disabled }) {
      if (draft) {
        field.value = draft.text;
        files = draft.files;
        also.checked = false;
        drawChips();
        field.setSelectionRange(field.value.length, field.value.length);
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
