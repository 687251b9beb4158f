// What a reload of the page must not lose.

/** A map that the browser keeps for as long as the tab is open; of more than `most` entries the oldest go. */
export function lasting(name, most) {
  const place = `darkroom-sandbox-${name}`;
  const held = new Map(JSON.parse(sessionStorage.getItem(place) ?? "[]"));
  const keep = () => sessionStorage.setItem(place, JSON.stringify([...held]));
  return {
    get: (key) => held.get(key),
    has: (key) => held.has(key),
    keys: () => held.keys(),
    set(key, value) {
      if (held.get(key) === value) return;
      held.delete(key);
      held.set(key, value);
      if (held.size > most) held.delete(held.keys().next().value);
      keep();
    },
    delete(key) {
      if (held.delete(key)) keep();
    },
    clear() {
      held.clear();
      keep();
    },
  };
}
