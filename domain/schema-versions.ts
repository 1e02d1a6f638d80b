import { providerUpcasters } from './provider/upcasters.ts';
import { newestVersion, type Upcasters } from './upcasters.ts';

/**
 * How events of every older shape are read: the one place that says which versions there are. An event of a lifecycle
 * keeps its shape, since running workflows decide again what they have decided, in the shape of then; what has to be
 * told anew there is a new type, of a new machine version.
 */
export const UPCASTERS: Upcasters = { ...providerUpcasters };

/** Schema version that an event of `type` is written with. */
export const schemaVersionOf = (type: string): number => newestVersion(UPCASTERS, type);
