/** RFC 3339 instants as strings. The only file of the domain that may touch `Date`, and only to parse and print. */

/** Milliseconds since 1970. @throws RangeError when `at` is not an instant. */
export const epochMs = (at: string): number => {
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) throw new RangeError(`not an RFC 3339 instant: ${at}`);
  return ms;
};

/** Whether `at` is an instant that can be counted with. */
export const isInstant = (at: string): boolean => !Number.isNaN(Date.parse(at));

export const instant = (ms: number): string => new Date(ms).toISOString();

export const addMs = (at: string, ms: number): string => instant(epochMs(at) + ms);
export const addSeconds = (at: string, seconds: number): string => addMs(at, seconds * 1000);
export const msBetween = (from: string, to: string): number => epochMs(to) - epochMs(from);
export const isBefore = (a: string, b: string): boolean => epochMs(a) < epochMs(b);
