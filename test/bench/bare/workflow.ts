import { defineSearchAttributeKey } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  defineUpdate,
  proxyLocalActivities,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { CommandOutcome } from '../../../domain/ports/lifecycles.ts';

const MACHINE_STATE = defineSearchAttributeKey('MachineState', 'KEYWORD');
const { nothing } = proxyLocalActivities<{ nothing: () => Promise<void> }>({
  startToCloseTimeout: '10 seconds',
});

const commandUpdate = defineUpdate<CommandOutcome, [unknown, unknown]>('command');
const show = (value: string): void => upsertSearchAttributes([{ key: MACHINE_STATE, value }]);

/**
 * What an auction costs Temporal itself: an update for every command with one local activity that does nothing, one
 * timer, and the search attributes an auction shows. No machine, no rules, no log.
 */
export const bare = async (seconds: number): Promise<void> => {
  let updates = 0;
  setHandler(commandUpdate, async (): Promise<CommandOutcome> => {
    await nothing();
    updates++;
    return { ok: true, position: String(updates), revision: String(updates), state: 'open' };
  });
  await condition(() => updates > 0);
  show('open');
  await sleep(seconds * 1000);
  show('opening');
  await condition(allHandlersFinished);
  show('allocated');
};
