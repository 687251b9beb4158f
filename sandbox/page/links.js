import { el } from "./dom.js";

const SCHEMES = new Set(["http:", "https:", "mailto:"]);

/** The address as a URL when a person may follow it, else null (`javascript:` and friends). */
export function followable(raw) {
  try {
    const url = new URL(String(raw));
    return SCHEMES.has(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/** A link; an address that may not be followed leaves its label as text. */
export function link(raw, label) {
  const url = followable(raw);
  if (!url) return el("span", { class: "refused", title: "This link is not followed" }, label);
  const inside = url.origin === location.origin && url.pathname.startsWith("/archives/");
  if (inside) return el("a", { href: url.href, "data-permalink": url.pathname + url.search }, label);
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, label);
}

/** Channel, message and thread of one of the workspace's own links; null when it is none. */
export function permalink(path) {
  const found = /^\/archives\/([A-Z0-9]+)\/p(\d+)(\d{6})(?:\?(.*))?$/.exec(path);
  if (!found) return null;
  const ts = `${found[2]}.${found[3]}`;
  return { channel: found[1], ts, thread: new URLSearchParams(found[4] ?? "").get("thread_ts") ?? ts };
}

/** The address of a message, as Slack makes it. */
export function linkTo(channel, { ts, thread_ts: thread, is_reply: isReply }) {
  const inThread = isReply ? `?thread_ts=${thread}&cid=${channel}` : "";
  return `${location.origin}/archives/${channel}/p${ts.replace(".", "")}${inThread}`;
}
