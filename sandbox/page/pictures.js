// Pictures and files, as they stand in a message.

import { el, icon } from "./dom.js";
import { view } from "./viewer.js";

/** The longest side of a picture in the list, in pixels. */
const SIDE = 380;

/** The file that a `slack_file` names, by id or by one of its addresses. */
export function fileOf(slackFile, world) {
  const id = slackFile.id ?? /(?:-|\/)(F[A-Z0-9]{8,})\//.exec(String(slackFile.url))?.[1];
  return id && Object.hasOwn(world.files, id) ? world.files[id] : null;
}

const gone = (text) => el("span", { class: "broken", role: "img", "aria-label": text }, el("span", {}, text));

/** A picture of a block or an element; `small` is the size beside text. */
export function blockPicture(spec, world, source, small = false) {
  const alt = String(spec.alt_text ?? "");
  if (spec.slack_file) {
    const file = fileOf(spec.slack_file, world);
    if (file?.deleted) return gone(`This picture was deleted: ${alt}`);
    if (!file || source?.broken?.includes(file.id)) return gone(`This picture cannot be shown: ${alt}`);
    return picture({ url: file.url, name: file.name, alt, width: file.width, height: file.height }, small);
  }
  let url = null;
  try {
    url = new URL(String(spec.image_url), location.href);
  } catch {
    url = null;
  }
  if (url?.origin !== location.origin || !/^https?:$/.test(url.protocol))
    return gone(`A picture from elsewhere, not loaded: ${alt}`);
  return picture({ url: url.href, name: "picture", alt, width: spec.image_width, height: spec.image_height }, small);
}

/** A picture that opens the viewer. `shown` is {url, name, alt, width, height}. */
export function picture(shown, small = false) {
  const image = el("img", {
    src: shown.url,
    alt: shown.alt,
    width: shown.width || null,
    height: shown.height || null,
    decoding: "async",
    loading: "lazy",
  });
  image.addEventListener("error", () => image.closest("button")?.replaceWith(gone(`This picture cannot be shown: ${shown.alt}`)));
  const button = el(
    "button",
    { type: "button", class: small ? "picture small" : "picture", "aria-label": `Open the picture: ${shown.alt}`, "data-focus": `picture ${shown.url}`, click: () => view(button) },
    image,
  );
  button.shown = shown;
  // A known size keeps its place before the bytes are there, so that nothing jumps.
  if (!small && shown.width && shown.height) button.style.width = `${Math.min(SIDE, (SIDE * shown.width) / shown.height, shown.width)}px`;
  return button;
}

/** A posted file: a picture with its name, or a card with a download. */
export function postedFile(file) {
  const name = file.title || file.name;
  if (file.deleted) return gone("This file was deleted.");
  if (/^image\/(?:png|jpeg|gif|webp)$/.test(file.mimetype))
    return el("figure", {}, el("figcaption", {}, name), picture({ url: file.url, name: file.name, alt: name, width: file.width, height: file.height }));
  if (!file.processed) return el("p", { class: "file" }, icon("file"), `${name} is being checked…`);
  return el("a", { class: "file", href: file.url, download: file.name }, icon("file"), el("span", {}, name, el("small", {}, ` ${bytes(file.size)}`)));
}

function bytes(count) {
  if (count < 1024) return `${count} B`;
  return count < 1024 ** 2 ? `${(count / 1024).toFixed(0)} kB` : `${(count / 1024 ** 2).toFixed(1)} MB`;
}
