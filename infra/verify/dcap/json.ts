import { fromHex } from '../bytes.ts';
import { MalformedError } from '../der.ts';

/** Typed reading of a foreign JSON object. Every accessor throws MalformedError when the member is not as said. */
export interface JsonObject {
  text(name: string): string;
  whole(name: string): number;
  instant(name: string): number;
  hex(name: string, size: number): Uint8Array;
  object(name: string): JsonObject;
  list(name: string): JsonObject[];
  /** Empty when the member is absent. */
  optionalList(name: string): JsonObject[];
  optionalTexts(name: string): string[];
}

const LONGEST_LIST = 1024;
const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

const fail = (name: string): never => {
  throw new MalformedError(`${name} is missing or malformed`);
};

const wrap = (value: unknown, name: string): JsonObject => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(name);
  const members = value as Record<string, unknown>;
  const arrayOf = (member: string): readonly unknown[] => {
    const found = members[member];
    return Array.isArray(found) && found.length <= LONGEST_LIST ? found : fail(member);
  };
  const self: JsonObject = {
    text: (member) => {
      const found = members[member];
      return typeof found === 'string' ? found : fail(member);
    },
    whole: (member) => {
      const found = members[member];
      return Number.isSafeInteger(found) && (found as number) >= 0 ? (found as number) : fail(member);
    },
    instant: (member) => {
      const text = self.text(member);
      const ms = UTC.test(text) ? Date.parse(text) : Number.NaN;
      return Number.isNaN(ms) ? fail(member) : ms;
    },
    hex: (member, size) => {
      const bytes = fromHex(self.text(member), size);
      return bytes.length === size ? bytes : fail(member);
    },
    object: (member) => wrap(members[member], member),
    list: (member) => arrayOf(member).map((each) => wrap(each, member)),
    optionalList: (member) => (members[member] === undefined ? [] : self.list(member)),
    optionalTexts: (member) =>
      members[member] === undefined
        ? []
        : arrayOf(member).map((each) => (typeof each === 'string' ? each : fail(member))),
  };
  return self;
};

/** @throws MalformedError when `text` is not one JSON object. */
export const parseJsonObject = (text: string): JsonObject => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MalformedError('not JSON', { cause });
  }
  return wrap(value, 'document');
};
