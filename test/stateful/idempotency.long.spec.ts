import { describe, test } from 'vitest';
import { createMemoryEventStore } from '../../infra/event-store/memory/store.ts';
import { IDEMPOTENT } from './folds.ts';

const SCHEDULES = 1_000;

describe('stateful.idempotency', () => {
  test.each(IDEMPOTENT)(
    `$name: in ${SCHEDULES} schedules of commands, deaths and retries each command has one effect and one answer`,
    ({ check }) => check(createMemoryEventStore, SCHEDULES),
    300_000,
  );
});
