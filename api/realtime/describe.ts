import { describeRoute } from 'hono-openapi';

export const REALTIME_PATH = '/ws';

/** The WebSocket's part of the OpenAPI document; its frames are described in the README. */
export const describeRealtime = () =>
  describeRoute({
    operationId: 'getWs',
    summary: 'Realtime topics over WebSocket',
    tags: ['realtime'],
    responses: { 101: { description: 'Switching Protocols' }, 401: { description: 'AUTHENTICATION_FAILED' } },
    security: [{ bearer: [] }, { apiKey: [] }],
  });
