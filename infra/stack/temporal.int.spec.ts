import { Connection } from '@temporalio/client';
import { expect, test } from 'vitest';
import { temporalAddress } from '../../test/support/temporal.ts';
import { STATE_ATTRIBUTE } from './temporal.ts';

test('one Temporal server per run knows the namespace and the state attribute', async () => {
  const [address, again] = await Promise.all([temporalAddress(), temporalAddress()]);
  expect(again).toBe(address);
  const connection = await Connection.connect({ address });
  const attributes = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
  expect(Object.keys(attributes.customAttributes)).toContain(STATE_ATTRIBUTE);
  await connection.close();
});
