import type { NewEvent } from './event.ts';
import type { JsonObject } from './json.ts';

/** Lifts the data of an event from one schema version to the next. Pure; must not change its argument. */
export type Upcaster = (data: JsonObject) => JsonObject;

/**
 * Upcasters by event type and by the version they lift from: `{ 'auction.bid-placed': { 1: lift } }` turns version 1
 * into 2. They run on read; what is stored and hashed never changes.
 */
export type Upcasters = Readonly<Record<string, Readonly<Record<number, Upcaster>>>>;

/** The event at the newest version its type's upcasters reach. */
export const upcast = <E extends Pick<NewEvent, 'type' | 'schemaVersion' | 'data'>>(
  upcasters: Upcasters,
  event: E,
): E => {
  const steps = Object.hasOwn(upcasters, event.type) ? upcasters[event.type] : undefined;
  if (!steps) return event;
  let { schemaVersion, data } = event;
  for (let lift = steps[schemaVersion]; lift; lift = steps[schemaVersion]) {
    data = lift(data);
    schemaVersion += 1;
  }
  return schemaVersion === event.schemaVersion ? event : { ...event, schemaVersion, data };
};
