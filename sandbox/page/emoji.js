import { el } from "./dom.js";

const TABLE = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", white_check_mark: "✅",
  heavy_check_mark: "✔️", x: "❌", warning: "⚠️", hourglass: "⌛", hourglass_flowing_sand: "⏳", art: "🎨",
  frame_with_picture: "🖼️", camera: "📷", camera_with_flash: "📸", film_frames: "🎞️", sparkles: "✨", star: "⭐",
  fire: "🔥", heart: "❤️", tada: "🎉", rocket: "🚀", bulb: "💡", wave: "👋", pray: "🙏", clap: "👏",
  raised_hands: "🙌", ok_hand: "👌", muscle: "💪", point_right: "👉", point_down: "👇", smile: "😄",
  grinning: "😀", slightly_smiling_face: "🙂", joy: "😂", laughing: "😆", wink: "😉", thinking_face: "🤔",
  cry: "😢", sob: "😭", heart_eyes: "😍", sunglasses: "😎", no_entry: "⛔", no_entry_sign: "🚫", octagonal_sign: "🛑",
  lock: "🔒", key: "🔑", moneybag: "💰", dollar: "💵", money_with_wings: "💸", chart_with_upwards_trend: "📈",
  bar_chart: "📊", calendar: "📅", bell: "🔔", mag: "🔍", pencil: "📝", pencil2: "✏️", paperclip: "📎",
  link: "🔗", gear: "⚙️", wrench: "🔧", robot_face: "🤖", snowflake: "❄️", fox_face: "🦊", cat: "🐱", dog: "🐶",
  rabbit: "🐰", tropical_fish: "🐠", heart_eyes_cat: "😻", raised_hand: "✋",
  repeat: "🔁", arrows_counterclockwise: "🔄", arrow_right: "➡️", zzz: "💤", speech_balloon: "💬", question: "❓",
  exclamation: "❗", information_source: "ℹ️", red_circle: "🔴", large_green_circle: "🟢", large_yellow_circle: "🟡",
  large_blue_circle: "🔵", white_circle: "⚪", black_circle: "⚫", shrug: "🤷", package: "📦", recycle: "♻️",
};

/** The picture of a short code, whatever its tone of skin; null when this page does not know it. */
export function glyph(code) {
  const name = code.replace(/::skin-tone-\d$/, "");
  return Object.hasOwn(TABLE, name) ? TABLE[name] : null;
}

/** A short code as a picture with its name, or as it was written. */
export function emoji(name, unicode = null) {
  const picture = unicode ?? glyph(name);
  if (!picture) return document.createTextNode(`:${name}:`);
  return el("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") }, picture);
}

/** A short code: its name, perhaps with a tone of skin. */
export const CODE = /:([a-z0-9_+'-]+(?:::skin-tone-\d)?):/;
const CODES = new RegExp(CODE, "g");

/** Plain text with its short codes drawn. */
export function plain(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(CODES)) {
    if (!glyph(match[1])) continue;
    nodes.push(text.slice(at, match.index), emoji(match[1]));
    at = match.index + match[0].length;
  }
  return [...nodes, text.slice(at)];
}
