/** A binary heap: what comes `before` all else is taken first. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  /** In no order. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items[Symbol.iterator]();
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!this.#before(item, items[up] as T)) break;
      items[at] = items[up] as T;
      at = up;
    }
    items[at] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return first;
    let at = 0;
    for (;;) {
      let next = 2 * at + 1;
      if (next >= items.length) break;
      if (next + 1 < items.length && this.#before(items[next + 1] as T, items[next] as T)) next++;
      if (!this.#before(items[next] as T, last)) break;
      items[at] = items[next] as T;
      at = next;
    }
    items[at] = last;
    return first;
  }
}
