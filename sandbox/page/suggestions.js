// What the composer suggests while somebody types: commands, people, channels.

import { now, room } from "./state.js";

const MOST = 6;

const commands = (start) => (now.world.viewer.is_outside ? [] : now.setup.commands).filter((one) => one.name.slice(1).startsWith(start)).map((one) => ({ insert: one.name, ...one }));

function people(start) {
  const members = new Set(room()?.members ?? []);
  return [...now.world.users.values()]
    .filter((user) => members.has(user.id) && (user.name.startsWith(start) || user.real_name.toLowerCase().startsWith(start)))
    .map((user) => ({ insert: `@${user.is_bot ? user.real_name : user.name}`, name: `@${user.name}`, about: user.real_name }));
}

const rooms = (start) =>
  [...now.world.rooms.values()]
    .filter((one) => one.name?.startsWith(start))
    .map((one) => ({ insert: `#${one.name}`, name: `#${one.name}`, about: one.archived ? "archived" : `${one.members.length} members` }));

/** Suggestions for a sign ("/", "@", "#") and what stands behind it: [{insert, name, usage, about}]. */
export const suggest = (sign, start) => ({ "/": commands, "@": people, "#": rooms })[sign](start).slice(0, MOST);
