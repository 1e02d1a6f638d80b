import type { JsonObject } from './json.ts';

/** What of a stored event an upcaster may look at beside its data. */
export interface Upcastable {
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: JsonObject;
  /** RFC 3339. */
  readonly occurredAt: string;
}

/** Lifts the data of an event from one schema version to the next. Pure; must not change its argument. */
export type Upcaster = (data: JsonObject, event: Pick<Upcastable, 'occurredAt'>) => JsonObject;

/**
 * Upcasters by event type and by the version they lift from: `{ 'auction.bid-placed': { 1: lift } }` turns version 1
 * into 2. They run on read; what is stored and hashed never changes.
 */
export type Upcasters = Readonly<Record<string, Readonly<Record<number, Upcaster>>>>;

const stepsOf = (upcasters: Upcasters, type: string): Readonly<Record<number, Upcaster>> =>
  (Object.hasOwn(upcasters, type) && upcasters[type]) || {};

/** The event at the newest version its type's upcasters reach. */
export const upcast = <E extends Upcastable>(upcasters: Upcasters, event: E): E => {
  const steps = stepsOf(upcasters, event.type);
  let { schemaVersion, data } = event;
  for (let lift = steps[schemaVersion]; lift; lift = steps[schemaVersion]) {
    data = lift(data, event);
    schemaVersion += 1;
  }
  return schemaVersion === event.schemaVersion ? event : { ...event, schemaVersion, data };
};

/** The version that events of `type` are written with: 1, and one more for each step up from there. */
export const newestVersion = (upcasters: Upcasters, type: string): number => {
  const steps = stepsOf(upcasters, type);
  let version = 1;
  while (steps[version]) version += 1;
  return version;
};
