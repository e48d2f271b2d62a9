/* As much of React as hooks need: one component, drawn again when its state changes. */
let slots, at, again;

export function draw(component) {
  slots = [];
  const render = () => {
    at = 0;
    component();
    for (const slot of slots.filter((one) => one.run)) {
      if (slot.end) slot.end();
      const run = slot.run;
      slot.run = null;
      slot.end = run();
    }
  };
  let due = false;
  again = () => {
    due = true;
  };
  do {
    due = false;
    render();
  } while (due);
  return {
    render,
    remove: () => slots.forEach((slot) => slot.end && slot.end()),
  };
}

export function useState(first) {
  const slot = (slots[at++] ??= { value: first });
  const set = (value) => {
    if (!Object.is(slot.value, value)) {
      slot.value = value;
      again();
    }
  };
  return [slot.value, set];
}

export function useRef(first) {
  return (slots[at++] ??= { current: first });
}

export function useEffect(run, needs) {
  const slot = (slots[at++] ??= {});
  if (!slot.needs || needs.some((one, index) => !Object.is(one, slot.needs[index]))) slot.run = run;
  slot.needs = needs;
}
