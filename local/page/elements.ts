/** An element that index.html has. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element ${id}`);
  return found as T;
}

export const input = (id: string): HTMLInputElement => element<HTMLInputElement>(id);

/** Text and nothing else: what a message says is never taken for HTML. */
export function say(id: string, text: string): void {
  const target = element(id);
  // A live region would read what has not changed once more.
  if (target.textContent !== text) target.textContent = text;
}

/** Whether a button can be pressed. One that cannot keeps the focus, so that the keyboard's place in the page is not lost. */
export function enable(id: string, isEnabled: boolean): void {
  element(id).setAttribute("aria-disabled", String(!isEnabled));
}

const maxEntries = 2_000;

/** Adds an entry to a list that shows its end, unless somebody has scrolled up to read. */
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
