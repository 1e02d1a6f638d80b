/** Whether foreign JSON has a form. */
export type Check = (value: unknown) => boolean;

export const text: Check = (value) => typeof value === 'string' && value.length <= 4096;
export const hex = (bytes: number): Check => {
  const form = new RegExp(`^[0-9a-f]{${bytes * 2}}$`);
  return (value) => typeof value === 'string' && form.test(value);
};
export const base64Url: Check = (value) =>
  typeof value === 'string' && /^[A-Za-z0-9_-]{1,65536}$/.test(value);
export const amount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
export const whole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const instant: Check = (value) =>
  typeof value === 'string' &&
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value) &&
  !Number.isNaN(Date.parse(value));
export const exactly =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
export const listOf =
  (check: Check, limit: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= limit && value.every(check);

/** An object with these members and no others: an unknown member is something nobody would check. */
export const closed =
  (members: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const record = value as Record<string, unknown>;
    const checks = Object.entries(record).map(([name, each]) => {
      const known = Object.hasOwn(members, name) ? members[name] : undefined;
      return (known ?? (Object.hasOwn(optional, name) ? optional[name] : undefined))?.(each) ?? false;
    });
    return checks.every(Boolean) && Object.keys(members).every((name) => Object.hasOwn(record, name));
  };

/** A whole number from `low` to `high`, both included. */
export const within =
  (low: number, high: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high;
