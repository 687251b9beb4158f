/**
 * A function that runs `ask` once at a time: whoever calls it while `ask` is under way has it run once more
 * when that is over. It returns a promise that is kept when nothing is left to ask.
 */
export function oneAtATime(ask) {
  let asking = null;
  let again = false;
  async function askUntilCurrent() {
    while (again) {
      again = false;
      await ask();
    }
  }
  return () => {
    again = true;
    asking ??= askUntilCurrent().finally(() => {
      asking = null;
    });
    return asking;
  };
}
