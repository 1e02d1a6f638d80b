import { counted, isPlain } from './text.ts';

/** Most of an output that is shown on the terminal. */
const MAX_SHOWN_BYTES = 64 * 1024;

const textOf = (bytes: Uint8Array): string | null => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return isPlain(text) ? text : null;
  } catch {
    return null;
  }
};

/** A module's output among the lines of a report: as text where it is text that a terminal only shows. */
export const outputText = (bytes: Uint8Array): string => {
  const size = counted(bytes.length, 'byte');
  if (bytes.length === 0) return 'Result (no output)\n';
  if (bytes.length > MAX_SHOWN_BYTES)
    return `Result (${size}, too long to show: save it with --output FILE)\n`;
  const text = textOf(bytes);
  if (text === null) return `Result (${size}, not plain text: save it with --output FILE)\n`;
  return `Result (${size})\n${text}${text.endsWith('\n') ? '' : '\n'}`;
};
