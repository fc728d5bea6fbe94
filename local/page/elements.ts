/** An element that index.html has. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element ${id}`);
  return found as T;
}

export const input = (id: string): HTMLInputElement => element<HTMLInputElement>(id);

/** Sets text, never HTML: a message's body must not be parsed. */
export function say(id: string, text: string): void {
  const target = element(id);
  // Writing the same text again would have a live region read it again.
  if (target.textContent !== text) target.textContent = text;
}

/** Whether a button can be pressed. One that cannot keeps the focus, so that the keyboard's place in the page is not lost. */
export function enable(id: string, isEnabled: boolean): void {
  element(id).setAttribute("aria-disabled", String(!isEnabled));
}

const maxEntries = 2_000;

/** Adds an entry to a list that shows its end, unless the reader has scrolled up. */
export function append(list: HTMLElement, ...content: (Node | string)[]): HTMLLIElement {
  const followed = isAtEnd(list);
  const entry = document.createElement("li");
  entry.append(...content);
  list.append(entry);
  if (list.childElementCount > maxEntries) list.firstElementChild?.remove();
  if (followed) list.scrollTop = list.scrollHeight;
  return entry;
}

export function isAtEnd(box: HTMLElement): boolean {
  return box.scrollHeight - box.scrollTop - box.clientHeight < 40;
}
