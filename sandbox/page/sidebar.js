// Channels and people, and who is looking.

import { el, icon, reconcile } from "./dom.js";
import { avatar } from "./messages.js";

/** Draw the rooms. `unread(room)` gives {count, mentions}. */
export function drawRooms(box, world, current, unread, open) {
  const all = [...world.rooms.values()];
  const groups = [
    { title: "Channels", rooms: all.filter((room) => room.name).sort((a, b) => a.archived - b.archived) },
    { title: "Direct messages", rooms: all.filter((room) => !room.name).sort((a, b) => b.has_app - a.has_app) },
  ];
  for (const [index, group] of groups.entries()) {
    let part = box.children[index];
    if (!part) {
      part = el("section", {}, el("h2", { id: `rooms-${index}` }, group.title), el("ul", { "aria-labelledby": `rooms-${index}` }));
      box.append(part);
    }
    const about = (room) => ({ here: room.id === current, ...unread(room) });
    reconcile(part.lastElementChild, group.rooms, (room) => room.id, (room) => JSON.stringify([about(room), room.title, world.viewer.id, world.app.connected]), (room) => el("li", {}, roomButton(room, about(room), world, open)));
  }
}

function roomButton(room, about, world, open) {
  const other = room.name ? null : world.users.get(room.members.find((id) => id !== world.viewer.id));
  const sign = other ? avatar(other) : el("span", { class: "hash", "aria-hidden": "true" }, room.kind === "group" ? icon("lock") : "#");
  const label = [room.title, room.archived ? "archived" : "", about.count ? `${about.count} unread` : "", about.mentions ? `${about.mentions} for you` : ""].filter(Boolean).join(", ");
  const classes = ["room", about.here ? "here" : "", about.count ? "unread" : "", room.archived ? "archived" : ""].filter(Boolean).join(" ");
  return el(
    "button",
    { type: "button", class: classes, "aria-label": label, "aria-current": about.here ? "page" : null, "data-focus": room.id, click: () => open(room.id) },
    sign,
    el("span", { class: "name" }, room.name || room.title),
    room.shared ? el("span", { class: "mark", title: "Shared with another workspace" }, "⇄") : null,
    about.mentions ? el("span", { class: "count" }, String(about.mentions)) : null,
  );
}

const standing = (user) => (user.is_admin ? "admin" : user.is_guest ? "guest" : user.is_outside ? "elsewhere" : "");

/** The switch of who is looking. */
export function drawControls(box, setup, viewer, become) {
  const people = setup.viewers.map((user) => {
    const input = el("input", { type: "radio", name: "viewer", value: user.id, checked: user.id === viewer, change: () => become(user.id) });
    const first = user.real_name.split(" ")[0];
    return el("label", { title: user.real_name }, input, avatar(user), el("span", {}, first), standing(user) ? el("small", {}, standing(user)) : null);
  });
  const fieldset = el("fieldset", { class: "viewers" }, el("legend", {}, "You are"), people);
  const inside = box.contains(document.activeElement) && document.activeElement.name === "viewer";
  box.replaceChildren(fieldset);
  if (inside) fieldset.querySelector("input:checked")?.focus();
}
