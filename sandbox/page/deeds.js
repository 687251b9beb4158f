// What a person does: each is asked of the sandbox, and what went wrong is said.

import * as api from "./api.js";
import { confirmed, reworded } from "./dialogs.js";
import { toast } from "./dom.js";
import { linkTo } from "./links.js";
import { now } from "./state.js";

/** Whoever asked for these says itself what went wrong. */
const SAID_ELSEWHERE = new Set(["type", "post", "press", "options", "submit", "close"]);

export async function act(doing, action) {
  const answer = await api.act(now.viewer, doing, action);
  if (!answer.ok && answer.error && !SAID_ELSEWHERE.has(doing)) toast(answer.text || answer.error);
  return answer;
}

export const attach = (file) => api.upload(now.viewer, file);

/** A sent text as somebody would type it again. */
function asTyped(text) {
  const typed = text.replace(/<@([A-Z0-9]+)(?:\|[^>]*)?>/g, (_, id) => `@${now.world.users.get(id)?.name ?? id}`);
  return typed.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

export async function edit(message) {
  const before = asTyped(message.text);
  const text = (await reworded("Edit message", before))?.trim();
  if (text && text !== before) await act("edit", { channel: now.room, ts: message.ts, text });
}

export async function copyLink(message) {
  const link = linkTo(now.room, message);
  const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
  if (copied) toast("The link is copied.");
  else await reworded("Copy this link", link);
}

export async function remove(message) {
  const sure = await confirmed({ title: { text: "Delete message" }, text: { text: "This cannot be undone." }, confirm: { text: "Delete" }, style: "danger" });
  if (sure) await act("delete", { channel: now.room, ts: message.ts });
}

/** The app's global shortcuts, as a menu shows them. */
export function globalShortcuts() {
  const mine = now.world.viewer.is_outside ? [] : now.world.shortcuts.filter((one) => one.kind === "global");
  return mine.map((one) => ({ text: one.name, about: now.world.app.name, click: () => act("shortcut", { callback_id: one.callback_id, channel: now.room }) }));
}
