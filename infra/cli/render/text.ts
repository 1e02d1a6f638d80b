/** `1 byte`, `2 bytes`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Every control character but tab and line feed. */
const CONTROL = /[^\P{Cc}\t\n]/gu;

/** Whether `text` does nothing to a terminal but show, line by line: no escape sequence, no control character. */
export const isPlain = (text: string): boolean => text.replaceAll('\r\n', '\n').search(CONTROL) === -1;

/** Text of others as it can be shown: control characters become visible. */
export const shown = (text: string): string =>
  text.replaceAll(CONTROL, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** Rows of cells as lines of aligned columns. */
export const columns = (rows: readonly (readonly string[])[]): string[] => {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};
